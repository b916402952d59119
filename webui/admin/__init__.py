"""The web UI in Django's admin; importing this registers it."""

from webui.admin import accounts, alerts, public_page, saved_searches

__all__ = ["accounts", "alerts", "public_page", "saved_searches"]
