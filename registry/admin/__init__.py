"""The registry in Django's admin; importing this registers it."""

from registry.admin import accounts, instances, maintenance, overview, records

__all__ = ["accounts", "instances", "maintenance", "overview", "records"]
