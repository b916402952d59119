"""Instances in the admin: everything to be seen, nothing to be edited past the journal."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.timesince import timesince
from unfold.admin import ModelAdmin
from unfold.decorators import display

from registry import catalogue, heartbeats, overrides, registration, replay
from registry.declaration import Target
from registry.models import Heartbeat, Instance, Status


@admin.register(Instance)
class InstanceAdmin(ModelAdmin):
    list_display = ["service", "name", "shown_status", "since", "required", "status_reason"]
    list_filter = ["status", "service", "zone", "heartbeat_kind"]
    search_fields = ["service", "name", "url"]
    list_select_related = ["heartbeat"]
    exclude = ["notify_secret", "previous_notify_secret"]
    readonly_fields = ["last_probe"]
    actions = ["probe_now", "begin_maintenance", "end_maintenance", "drain", "resync"]

    @display(
        description="status",
        ordering="status",
        label={
            Status.PASSING: "success",
            Status.WARNING: "warning",
            Status.CRITICAL: "danger",
            Status.STARTING: "info",
            "maintenance": "warning",
            "draining": "warning",
        },
    )
    def shown_status(self, instance: Instance) -> str:
        return instance.shown_status

    @display(description="for", ordering="-status_since")
    def since(self, instance: Instance) -> str:
        return timesince(instance.status_since, depth=1)

    @display(description="requires")
    def required(self, instance: Instance) -> str:
        return ", ".join(instance.requires)

    @display(description="last probe")
    def last_probe(self, instance: Instance) -> str:
        heartbeat: Heartbeat = instance.heartbeat
        latency = "" if heartbeat.latency_ms is None else f" after {heartbeat.latency_ms:.1f} ms"
        return f"{heartbeat.detail}{latency}" or "none yet"

    @admin.action(description="Probe now", permissions=["operate"])
    def probe_now(self, request: HttpRequest, queryset: QuerySet[Instance]) -> None:
        count = heartbeats.hurry([instance.pk for instance in queryset], now=timezone.now())
        self.message_user(request, f"{count} probes are due now.")

    @admin.action(description="Begin maintenance, until it is ended", permissions=["operate"])
    def begin_maintenance(self, request: HttpRequest, queryset: QuerySet[Instance]) -> None:
        for instance in queryset:
            overrides.begin_maintenance(
                instance.service,
                instance.name,
                until=None,
                reason="begun in the admin",
                author=_author(request),
                now=timezone.now(),
            )
        self.message_user(request, f"In maintenance: {_named(queryset)}. {_affected(queryset)}")

    @admin.action(description="End maintenance", permissions=["operate"])
    def end_maintenance(self, request: HttpRequest, queryset: QuerySet[Instance]) -> None:
        for instance in queryset:
            overrides.end_maintenance(instance.service, instance.name, author=_author(request), now=timezone.now())
        self.message_user(request, f"No longer in a maintenance of their own: {_named(queryset)}.")

    @admin.action(description="Drain, and deregister after 30 s", permissions=["operate"])
    def drain(self, request: HttpRequest, queryset: QuerySet[Instance]) -> None:
        for instance in queryset:
            target = Target(service=instance.service, instance=instance.name)
            overrides.drain(
                target, seconds=30, reason="drained in the admin", author=_author(request), now=timezone.now()
            )
        self.message_user(request, f"Draining: {_named(queryset)}. {_affected(queryset)}")

    @admin.action(description="Have it ask for its providers anew", permissions=["operate"])
    def resync(self, request: HttpRequest, queryset: QuerySet[Instance]) -> None:
        told = queryset.filter(notify_url__isnull=False)
        count = replay.resync([Target(service=each.service, instance=each.name) for each in told])
        self.message_user(request, f"{count} dependents are told to ask for the whole.")

    def has_operate_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("registry.change_instance")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Instance | None = None) -> bool:
        return False

    def delete_model(self, request: HttpRequest, obj: Instance) -> None:
        _deregister(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Instance]) -> None:
        for instance in queryset:
            _deregister(request, instance)


def _deregister(request: HttpRequest, instance: Instance) -> None:
    target = Target(service=instance.service, instance=instance.name)
    registration.deregister(target, author=_author(request), reason="deregistered in the admin", now=timezone.now())


def _author(request: HttpRequest) -> str:
    return f"admin:{request.user.get_username()}"


def _named(instances: QuerySet[Instance]) -> str:
    return ", ".join(str(instance) for instance in instances)


def _affected(instances: QuerySet[Instance]) -> str:
    services = {instance.service for instance in instances}
    dependents = {name for each in catalogue.summaries() if each.service in services for name in each.required_by}
    return f"Required by {', '.join(sorted(dependents))}." if dependents else "Nobody requires them."
