"""The settings in force in the whole system, read-only, with secrets masked."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.views.generic import TemplateView
from unfold.views import UnfoldModelAdminViewMixin

from config import in_force
from config.services import SERVICES
from registry.admin import cells
from registry.instances import catalogue

PERMISSION = "registry.view_settings"
# By the beginnings of their names; a setting belongs to the first that fits.
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


class SettingsView(UnfoldModelAdminViewMixin, TemplateView):
    title = "Settings in force"
    permission_required = PERMISSION
    template_name = "registry/admin/settings.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs, sections=sections(), services=addresses())


def sections() -> list[Section]:
    """Settings that all services have alike come first, and are not repeated below."""
    found = {name: in_force.published(name) for name in SERVICES}
    known = {name: each.values for name, each in found.items() if each is not None}
    # This process knows its own in any case.
    known[settings.SERVICE.name] = in_force.own()
    first, *others = known.values()
    alike = {
        name: value
        for name, value in first.items()
        if others and all(name in other and other[name] == value for other in others)
    }
    shown = [Section(title="All services", note="the same in each of them", groups=grouped(alike))] if alike else []
    for name, published in found.items():
        if name in known:
            note = f"read at {cells.moment(published.read_at)} by process {published.process}" if published else ""
            different = {key: value for key, value in known[name].items() if key not in alike}
            shown.append(Section(title=name, note=note, groups=grouped(different)))
        else:
            note = "no process of it has served with this data directory: it runs elsewhere, or has never started"
            shown.append(Section(title=name, note=note, groups=[]))
    return shown


def grouped(values: Mapping[str, Any]) -> list[tuple[str, list[tuple[str, str]]]]:
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
