"""Instances in the admin: everything to be seen, nothing to be edited past the journal."""

import json
from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db import connection
from django.db.models import Exists, OuterRef, Q, QuerySet, TextField
from django.db.models.functions import Cast
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.html import format_html
from unfold.admin import ModelAdmin
from unfold.decorators import display

from registry.admin import cells, panels
from registry.admin.asking import MOST_TARGETS, OperationView, ask
from registry.admin.operations import OPERATIONS, PERMISSION, Operation
from registry.admin.pages import ServicesView, ServiceView
from registry.admin.records import ExactFilter, RecordAdmin
from registry.instances import catalogue, standing
from registry.models import Heartbeat, Instance, Requirement
from registry.wire.bodies import age
from registry.wire.limits import SHOWN_STATUSES

_DECLARED = [
    "url",
    "zone_name",
    "version_name",
    "weight",
    "tag_list",
    "metadata_list",
    "required",
    "notify_url",
    "incarnation",
]
_JUDGED = [
    "heartbeat_kind",
    "heartbeat_url",
    "interval_seconds",
    "timeout_seconds",
    "warn_after_seconds",
    "failures_before_critical",
    "successes_before_passing",
    "deregister_after_seconds",
]


class StateFilter(admin.SimpleListFilter):
    """Filters by the status that is shown, as counted on the dashboard."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(name, name) for name in (*SHOWN_STATUSES, "suspect", "flapping", "unmet")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Instance]) -> QuerySet[Instance]:
        state = self.value()
        conditions = {
            "maintenance": Q(is_in_maintenance=True),
            "draining": Q(is_in_maintenance=False, draining_until__isnull=False),
            "suspect": Q(is_suspect=True),
            "flapping": Q(heartbeat__is_damped=True),
        }
        if state == "unmet":
            down = standing.findings(catalogue.summaries()).down
            return queryset.filter(Exists(Requirement.objects.filter(instance=OuterRef("pk"), service__in=down)))
        if state in conditions:
            return queryset.filter(conditions[state])
        if state in SHOWN_STATUSES:
            return queryset.filter(status=state, is_in_maintenance=False, draining_until__isnull=True)
        return queryset


class SilenceFilter(admin.SimpleListFilter):
    title = "last heartbeat"
    parameter_name = "silent"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        ages = [(seconds, f"over {words} ago") for seconds, words in ((30, "30 s"), (300, "5 min"), (3600, "1 h"))]
        return [*((str(seconds), words) for seconds, words in ages), ("never", "never")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Instance]) -> QuerySet[Instance]:
        value = self.value() or ""
        if value == "never":
            return queryset.filter(heartbeat__last_at__isnull=True)
        if value in ("30", "300", "3600"):
            return queryset.filter(heartbeat__last_at__lt=timezone.now().timestamp() - int(value))
        return queryset


class ServiceFilter(ExactFilter):
    title = "service"
    parameter_name = "service"


class ZoneFilter(ExactFilter):
    title = "zone"
    parameter_name = "zone"


class VersionFilter(ExactFilter):
    title = "version"
    parameter_name = "version"


class TagFilter(ExactFilter):
    title = "tag"
    parameter_name = "tag"

    def narrow(self, request: HttpRequest, queryset: QuerySet[Any], value: str) -> QuerySet[Any]:
        if connection.vendor == "postgresql":
            return queryset.filter(tags__contains=[value])
        # SQLite knows no such lookup; a tag stands in its text as JSON writes it.
        written: QuerySet[Any] = queryset.alias(written=Cast("tags", TextField()))
        return written.filter(written__contains=json.dumps(value))


class InstanceList(ChangeList):
    """Note on each row of a page its unmet requirements, with one query for all rows."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        rows = list(self.result_list)
        offering = catalogue.offering({service for each in rows for service in each.requires})
        for each in rows:
            each.unmet = [service for service in each.requires if service not in offering]
        self.result_list = rows


@admin.register(Instance)
class InstanceAdmin(RecordAdmin):
    list_display = ["name", "of_service", "shown_status", "since", "zone_name", "version_name", "beat", "unmet", "why"]
    list_filter = [StateFilter, SilenceFilter, ServiceFilter, ZoneFilter, TagFilter, VersionFilter, "heartbeat_kind"]
    search_fields = ["service", "name", "url", "zone", "version"]
    search_help_text = "Part of a service's or an instance's name, an address, a zone or a version"
    list_select_related = ["heartbeat"]
    list_before_template = "registry/admin/protection.html"
    change_form_outer_before_template = "registry/admin/instance.html"
    fieldsets = [
        ("Declared", {"fields": _DECLARED}),
        ("Health check", {"fields": _JUDGED}),
        ("Registration", {"fields": ["registered", "registered_by", "revision"]}),
    ]

    @display(description="service", ordering="service")
    def of_service(self, instance: Instance) -> str:
        return cells.service_link(instance.service)

    @display(description="state", ordering="status")
    def shown_status(self, instance: Instance) -> str:
        shown = cells.status(instance)
        return format_html("{} {}", shown, cells.state("flapping")) if instance.heartbeat.is_damped else shown

    @display(description="for", ordering="-status_since")
    def since(self, instance: Instance) -> str:
        return _nowrap(age(instance.shown_since, now=timezone.now()))

    @display(description="heartbeat", ordering="heartbeat__last_at")
    def beat(self, instance: Instance) -> str:
        heartbeat: Heartbeat = instance.heartbeat
        at = panels.moment(heartbeat.last_at)
        return _nowrap("none yet" if at is None else f"{age(at, now=timezone.now())} ago")

    @display(description="unmet")
    def unmet(self, instance: Instance) -> str:
        missing: list[str] = getattr(instance, "unmet", [])
        return cells.joined(cells.state("unmet", each) for each in missing) if missing else cells.NOTHING

    @display(description="registered at")
    def registered(self, instance: Instance) -> str:
        return cells.moment(instance.registered_at)

    @display(description="why")
    def why(self, instance: Instance) -> str:
        return cells.text(cells.visible(instance.shown_reason))

    @display(description="zone", ordering="zone")
    def zone_name(self, instance: Instance) -> str:
        return cells.text(cells.visible(instance.zone))

    @display(description="version", ordering="version")
    def version_name(self, instance: Instance) -> str:
        return cells.text(cells.visible(instance.version))

    @display(description="requires")
    def required(self, instance: Instance) -> str:
        return cells.joined(map(cells.service_link, instance.requires)) if instance.requires else "nothing"

    @display(description="tags")
    def tag_list(self, instance: Instance) -> str:
        return ", ".join(map(cells.visible, instance.tags)) or "none"

    @display(description="metadata")
    def metadata_list(self, instance: Instance) -> str:
        return cells.code(instance.metadata) if instance.metadata else "none"

    def get_changelist(self, request: HttpRequest, **options: Any) -> type[ChangeList]:
        return InstanceList

    def get_urls(self) -> list[URLPattern]:
        pages = [
            path("services/", ServicesView.as_view(model_admin=self), name="registry_services"),
            path("services/<str:service>/", ServiceView.as_view(model_admin=self), name="registry_service"),
            path("operations/<str:name>/", OperationView.as_view(model_admin=self), name="registry_operation"),
        ]
        for page in pages:
            page.callback = self.admin_site.admin_view(page.callback)
        return [*pages, *super().get_urls()]

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        actions: dict[str, Any] = super().get_actions(request)
        if request.user.has_perm(PERMISSION):
            actions |= {each.name: _action(each) for each in OPERATIONS.values() if each.needs_targets}
        return actions

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        shown = panels.protection(request, now=timezone.now())
        found: HttpResponse = super().changelist_view(request, {**shown, **(extra_context or {})})
        return found

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        instance = self.get_object(request, object_id)
        shown = panels.of_instance(request, instance, now=timezone.now()) if instance else {}
        found: HttpResponse = super().change_view(request, object_id, form_url, {**shown, **(extra_context or {})})
        return found


def _action(operation: Operation) -> tuple[Any, str, str]:
    def lead(model_admin: ModelAdmin, request: HttpRequest, chosen: QuerySet[Instance]) -> HttpResponse | None:
        return ask(request, operation.name, list(chosen[: MOST_TARGETS + 1]))

    return lead, operation.name, f"{operation.title} ..."


def _nowrap(text: str) -> str:
    return format_html('<span class="rc-nowrap">{}</span>', text)
