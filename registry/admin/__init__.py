"""The registry in Django's admin; importing this registers it."""

from registry.admin import accounts, dashboard, deliveries, instances, journal, maintenance, operations_log, tokens

__all__ = ["accounts", "dashboard", "deliveries", "instances", "journal", "maintenance", "operations_log", "tokens"]
