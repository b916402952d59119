"""The grading service in Django's admin; importing this registers it."""

from grading.admin import accounts, courses, records

__all__ = ["accounts", "courses", "records"]
