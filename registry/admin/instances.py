"""Instances in the admin: everything to be seen, nothing to be edited past the journal."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
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
from registry.admin.records import RecordAdmin
from registry.models import Instance
from registry.wire.bodies import age

_DECLARED = ["url", "zone", "version", "weight", "tags", "metadata", "requires", "notify_url", "incarnation"]
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


@admin.register(Instance)
class InstanceAdmin(RecordAdmin):
    list_display = ["name", "of_service", "shown_status", "since", "required", "why"]
    list_filter = ["status", "is_suspect", "is_in_maintenance", "heartbeat_kind"]
    search_fields = ["service", "name", "url", "zone"]
    list_before_template = "registry/admin/protection.html"
    change_form_outer_before_template = "registry/admin/instance.html"
    fieldsets = [
        ("As it was declared", {"fields": _DECLARED}),
        ("How it is judged", {"fields": _JUDGED}),
        ("Registration", {"fields": ["registered", "registered_by", "revision"]}),
    ]

    @display(description="service", ordering="service")
    def of_service(self, instance: Instance) -> str:
        return cells.service_link(instance.service)

    @display(description="status", ordering="status")
    def shown_status(self, instance: Instance) -> str:
        return cells.status(instance)

    @display(description="for", ordering="-status_since")
    def since(self, instance: Instance) -> str:
        shown = age(instance.shown_since, now=timezone.now())
        return format_html('<span class="whitespace-nowrap">{}</span>', shown)

    @display(description="registered at")
    def registered(self, instance: Instance) -> str:
        return cells.moment(instance.registered_at)

    @display(description="why")
    def why(self, instance: Instance) -> str:
        return instance.shown_reason

    @display(description="requires")
    def required(self, instance: Instance) -> str:
        return ", ".join(instance.requires)

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
