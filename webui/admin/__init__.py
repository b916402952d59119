"""The web UI in Django's admin; importing this registers it."""

from webui.admin import accounts, alerts, kept

__all__ = ["accounts", "alerts", "kept"]
