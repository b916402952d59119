"""The settings in force, read-only, with secrets masked."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.views.generic import TemplateView

from config import in_force
from config.admin.cells import moment
from config.admin.pages import AdminPage

# Grouped by how their names begin; a setting belongs to the first that fits.
GROUPS = (
    ("Health and mass failure", ("PROTECTION_", "CANARY_", "ALLOWED_NETWORKS", "HEARTBEAT")),
    ("Retention", ("JOURNAL_", "TOMBSTONE_", "HISTORY_", "DELIVERY_", "RETENTION_", "ARCHIVE_")),
    ("Database, Redis and workers", ("DATABASE", "REDIS_", "CELERY_", "REQUEST_", "BODY_", "DATA_", "PORT")),
    (
        "Access",
        (
            *("TOKEN_", "SERVICE_TOKENS", "OPERATE_", "OPERATOR_", "SESSION_", "CSRF_", "SECURE_", "HTTPS"),
            *("ALLOWED_HOSTS", "AUTH", "LOGIN_", "STAFF_", "DEMO_", "PROXY_"),
        ),
    ),
    ("Logs and the rest", ("",)),
)


@dataclass(frozen=True, kw_only=True)
class Section:
    """The settings of one service, or those that all of them have alike."""

    title: str
    note: str
    groups: list[tuple[str, list[tuple[str, str]]]]


class SettingsView(AdminPage, TemplateView):
    """The settings of this service; the registry's admin shows those of the whole system."""

    title = "Settings in force"
    permissions: tuple[str, ...] = ("tokens.view_auditentry", "auth.view_user")
    template_name = "rollcall/settings.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        name = settings.SERVICE.name
        own = Section(title=name, note=read_at(in_force.published(name)), groups=grouped(in_force.own()))
        whole = f"{settings.PUBLIC_URLS['registry']}{settings.ADMIN_PATH}settings/"
        return super().get_context_data(**{"sections": [own], "whole_url": whole, **kwargs})


def read_at(published: in_force.InForce | None) -> str:
    return f"read at {moment(published.read_at)} by process {published.process}" if published else ""


def grouped(values: Mapping[str, Any]) -> list[tuple[str, list[tuple[str, str]]]]:
    found: dict[str, list[tuple[str, str]]] = {title: [] for title, _ in GROUPS}
    for name, value in sorted(values.items()):
        title = next(title for title, prefixes in GROUPS if name.startswith(prefixes))
        shown = value if isinstance(value, str) else json.dumps(value, indent=2, default=str)
        is_empty = value is None or value in ("", [], {})
        found[title].append((name, "none" if is_empty else shown))
    return [(title, rows) for title, rows in found.items() if rows]
