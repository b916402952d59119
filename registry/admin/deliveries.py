"""The deliveries in the admin: each attempt to send a webhook, what it carried, and what it was answered."""

from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.dateparse import parse_date
from django.utils.html import format_html
from unfold.decorators import display

from registry.admin import cells
from registry.admin.operations import PERMISSION
from registry.admin.records import DependentFilter, ExactFilter, RecordAdmin, is_revision, windowed
from registry.journal import log
from registry.journal.net_change import net_change
from registry.models import Delivery, Instance, InstanceKey
from registry.webhooks.compose import EVENT_TYPE
from registry.wire.bodies import timestamp

MOST_ATTEMPTS = 20


class OutcomeFilter(admin.SimpleListFilter):
    title = "outcome"
    parameter_name = "outcome"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("accepted", "accepted"), ("failed", "failed"), ("unanswered", "no answer")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Delivery]) -> QuerySet[Delivery]:
        conditions = {"accepted": Q(error=""), "failed": ~Q(error=""), "unanswered": Q(status_code=None)}
        condition = conditions.get(self.value() or "")
        return queryset if condition is None else windowed(queryset).filter(condition)


class CodeFilter(ExactFilter):
    title = "status code"
    parameter_name = "code"

    def narrow(self, request: HttpRequest, queryset: QuerySet[Any], value: str) -> QuerySet[Any]:
        return windowed(queryset).filter(status_code=int(value)) if is_revision(value) else queryset.none()


class RevisionFilter(ExactFilter):
    title = "revision it told"
    parameter_name = "revision"

    def narrow(self, request: HttpRequest, queryset: QuerySet[Any], value: str) -> QuerySet[Any]:
        if not is_revision(value):
            return queryset.none()
        return windowed(queryset).filter(from_revision__lt=int(value), to_revision__gte=int(value))


class DayFilter(ExactFilter):
    title = "day (UTC), such as 2026-11-29"
    parameter_name = "day"

    def narrow(self, request: HttpRequest, queryset: QuerySet[Any], value: str) -> QuerySet[Any]:
        try:
            day = parse_date(value)
        except ValueError:
            day = None
        if day is None or day.year >= 9999:
            return queryset.none()
        begin = datetime(day.year, day.month, day.day, tzinfo=UTC)
        # By their keys, which rise with time: an index on the time alone would have all of a day sorted.
        since, until = (_first_at(moment) for moment in (begin, begin + timedelta(days=1)))
        if since is None:
            return queryset.none()
        return queryset.filter(pk__gte=since) if until is None else queryset.filter(pk__gte=since, pk__lt=until)


@admin.register(Delivery)
class DeliveryAdmin(RecordAdmin):
    list_display = ["when", "dependent", "revisions", "outcome", "took", "fault"]
    list_filter = [DependentFilter, OutcomeFilter, CodeFilter, RevisionFilter, DayFilter]
    list_before_template = "registry/admin/deliveries.html"
    fieldsets = [
        ("Delivery", {"fields": ["when", "dependent", "revisions", "outcome", "took", "fault", "webhook_id"]}),
        ("Answer", {"fields": ["answered"]}),
        ("Payload", {"fields": ["payload"]}),
        ("Attempts", {"fields": ["attempts"]}),
    ]
    readonly_fields = ["when", "dependent", "revisions", "outcome", "took", "fault", "answered", "payload", "attempts"]

    @display(description="when", ordering="pk")
    def when(self, delivery: Delivery) -> str:
        return cells.when(delivery.at)

    @display(description="dependent")
    def dependent(self, delivery: Delivery) -> str:
        return cells.subject_link(delivery.service, delivery.instance)

    @display(description="took")
    def took(self, delivery: Delivery) -> str:
        return format_html('<span class="rc-nowrap">{}</span>', cells.seconds(delivery.duration_ms / 1000))

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        context = {**(extra_context or {}), "kept_days": settings.DELIVERY_RETENTION_DAYS}
        return super().changelist_view(request, context)

    def get_list_display(self, request: HttpRequest) -> list[str]:
        return [*self.list_display, "redeliver"] if request.user.has_perm(PERMISSION) else self.list_display

    @display(description="revisions")
    def revisions(self, delivery: Delivery) -> str:
        return f"{delivery.from_revision} to {delivery.to_revision}"

    @display(description="outcome")
    def outcome(self, delivery: Delivery) -> str:
        return outcome(delivery)

    @display(description="operation")
    def redeliver(self, delivery: Delivery) -> str:
        target = InstanceKey(service=delivery.service, instance=delivery.instance)
        url = cells.operation_url("replay", [target], since=delivery.from_revision)
        return format_html('<a class="rc-link rc-nowrap" href="{}">Redeliver</a>', url)

    @display(description="error")
    def fault(self, delivery: Delivery) -> str:
        return cells.text(cells.visible(delivery.error))

    @display(description="body")
    def answered(self, delivery: Delivery) -> str:
        return cells.code(delivery.answer) if delivery.answer else "no body was kept"

    @display(description="what changed between these revisions")
    def payload(self, delivery: Delivery) -> str:
        return cells.code(payload(delivery))

    @display(description="of this message, newest first")
    def attempts(self, delivery: Delivery) -> str:
        tried = Delivery.objects.filter(
            service=delivery.service, instance=delivery.instance, webhook_id=delivery.webhook_id
        )
        rows = [
            [cells.when(each.at), outcome(each), cells.seconds(each.duration_ms / 1000), cells.visible(each.error)]
            for each in tried
        ]
        return cells.table(["When", "Outcome", "Took", "Error"], rows[:MOST_ATTEMPTS])


def _first_at(moment: datetime) -> int | None:
    """The key of the first delivery from then on."""
    return Delivery.objects.filter(at__gte=moment).order_by("at", "pk").values_list("pk", flat=True).first()


def outcome(delivery: Delivery) -> str:
    status = delivery.status_code or "no answer"
    return (
        cells.state("failed", f"failed, {status}") if delivery.error else cells.state("passing", f"accepted, {status}")
    )


def payload(delivery: Delivery) -> dict[str, Any]:
    """The message of this delivery, composed from the journal again: only its secret is not kept with it.

    What a dependent requires may have changed since; then so has what is shown.
    """
    instance = Instance.objects.filter(service=delivery.service, name=delivery.instance).first()
    requires = instance.requires if instance else []
    entries = log.between(requires, after=delivery.from_revision, up_to=delivery.to_revision) if requires else []
    net = net_change(entries)
    return {
        "type": EVENT_TYPE,
        "timestamp": timestamp(delivery.at),
        "data": {
            "subscriber": {"service": delivery.service, "instance": delivery.instance},
            "from_revision": delivery.from_revision,
            "to_revision": delivery.to_revision,
            "added": net.added,
            "changed": net.changed,
            "removed": net.removed,
        },
    }
