"""The log service in Django's admin; importing this registers it."""

from logsvc.admin import accounts, alerts, rules

__all__ = ["accounts", "alerts", "rules"]
