"""What is only to be looked at in the admin: the journal, the deliveries, and who did what there."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from unfold.admin import ModelAdmin
from unfold.decorators import display

from registry.admin import cells
from registry.admin.operations import PERMISSION
from registry.models import Delivery, InstanceKey, JournalEntry


class RecordAdmin(ModelAdmin):
    """All of it is read-only. No filter lists the values of a column: of millions of rows that is a slow page."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(JournalEntry)
class JournalAdmin(RecordAdmin):
    list_display = ["revision", "when", "change", "service", "instance", "author", "reason"]
    list_filter = ["change"]
    search_fields = ["service", "instance", "author"]

    @display(description="when", ordering="revision")
    def when(self, entry: JournalEntry) -> str:
        return cells.when(entry.at)


class OutcomeFilter(admin.SimpleListFilter):
    title = "outcome"
    parameter_name = "outcome"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("delivered", "delivered"), ("failed", "failed")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Delivery]) -> QuerySet[Delivery]:
        if self.value() is None:
            return queryset
        return queryset.filter(error="") if self.value() == "delivered" else queryset.exclude(error="")


@admin.register(Delivery)
class DeliveryAdmin(RecordAdmin):
    list_display = ["when", "service", "instance", "revisions", "outcome", "took", "error"]
    list_filter = [OutcomeFilter]
    search_fields = ["service", "instance", "webhook_id"]

    @display(description="when", ordering="pk")
    def when(self, delivery: Delivery) -> str:
        return cells.when(delivery.at)

    @display(description="took", ordering="duration_ms")
    def took(self, delivery: Delivery) -> str:
        return format_html('<span class="whitespace-nowrap">{} ms</span>', f"{delivery.duration_ms:.1f}")

    def get_list_display(self, request: HttpRequest) -> list[str]:
        return [*self.list_display, "tell_again"] if request.user.has_perm(PERMISSION) else self.list_display

    @display(description="revisions")
    def revisions(self, delivery: Delivery) -> str:
        return f"{delivery.from_revision} to {delivery.to_revision}"

    @display(description="outcome")
    def outcome(self, delivery: Delivery) -> str:
        status = delivery.status_code or "no answer"
        return cells.label(f"failed, {status}", "danger") if delivery.error else cells.label(str(status), "success")

    @display(description="")
    def tell_again(self, delivery: Delivery) -> str:
        target = InstanceKey(service=delivery.service, instance=delivery.instance)
        url = cells.operation_url("replay", [target], since=delivery.from_revision)
        return format_html(
            '<a class="text-primary-600 whitespace-nowrap dark:text-primary-400" href="{}">Tell again</a>', url
        )


@admin.register(LogEntry)
class AuditAdmin(RecordAdmin):
    list_display = ["when", "user", "subject", "deed"]
    list_filter = ["action_flag", "user"]
    search_fields = ["object_repr", "change_message"]
    list_select_related = ["user"]

    @display(description="when", ordering="action_time")
    def when(self, entry: LogEntry) -> str:
        return cells.when(entry.action_time)

    @display(description="what about")
    def subject(self, entry: LogEntry) -> str:
        return entry.object_repr

    @display(description="what was done")
    def deed(self, entry: LogEntry) -> str:
        return entry.get_change_message()
