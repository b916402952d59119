"""The settings in force, read-only, with secrets masked."""

import json
from importlib import import_module
from typing import Any

from django.conf import settings
from django.views.generic import TemplateView
from unfold.views import UnfoldModelAdminViewMixin

from config.services import SERVICES
from registry.admin import masking
from registry.instances import catalogue

PERMISSION = "registry.view_settings"
# By the beginnings of their names; a setting belongs to the first that fits.
GROUPS = (
    ("Health and mass failure", ("PROTECTION_", "CANARY_", "ALLOWED_NETWORKS", "HEARTBEAT")),
    ("Retention", ("JOURNAL_", "TOMBSTONE_", "HISTORY_", "DELIVERY_")),
    ("Database, Redis and workers", ("DATABASE", "REDIS_", "CELERY_", "REQUEST_", "BODY_", "DATA_", "PORT")),
    (
        "Access",
        ("TOKEN_", "SERVICE_TOKENS", "OPERATE_", "OPERATOR_", "SESSION_", "CSRF_", "SECURE_", "HTTPS", "ALLOWED_HOSTS"),
    ),
    ("Logs and the rest", ("",)),
)
# How Django is put together: nobody sets these where the registry runs.
WIRING = frozenset(
    ("INSTALLED_APPS", "MIDDLEWARE", "TEMPLATES", "UNFOLD", "REST_FRAMEWORK", "LOGGING", "NATIVE_LANES", "BASE_DIR")
)


class SettingsView(UnfoldModelAdminViewMixin, TemplateView):
    title = "Settings in force"
    permission_required = PERMISSION
    template_name = "registry/admin/settings.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs, groups=grouped(in_force()), services=addresses())


def in_force() -> dict[str, Any]:
    """Each setting that the registry's own settings module names, as this process has it, masked."""
    names = [name for name in dir(import_module(f"config.settings.{settings.SERVICE.name}")) if name.isupper()]
    shown = [name for name in names if name not in WIRING and hasattr(settings, name)]
    return {name: masking.masked(getattr(settings, name), name) for name in shown}


def grouped(values: dict[str, Any]) -> list[tuple[str, list[tuple[str, str]]]]:
    found: dict[str, list[tuple[str, str]]] = {title: [] for title, _ in GROUPS}
    for name, value in sorted(values.items()):
        title = next(title for title, prefixes in GROUPS if name.startswith(prefixes))
        shown = value if isinstance(value, str) else json.dumps(value, indent=2, default=str)
        is_empty = value is None or value in ("", [], {})
        found[title].append((name, "none" if is_empty else shown))
    return [(title, rows) for title, rows in found.items() if rows]


def addresses() -> list[tuple[str, str, str]]:
    """This system's services: what each requires, and where its instances are registered."""
    offered = catalogue.offered(SERVICES)
    return [
        (
            name,
            ", ".join(service.requires) or "nothing",
            ", ".join(each.url for each in offered[name]) or "no instance is offered",
        )
        for name, service in SERVICES.items()
    ]
