"""The registry in Django's admin; importing this registers it."""

from registry.admin import accounts, instances, records

__all__ = ["accounts", "instances", "records"]
