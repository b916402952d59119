"""Django's log of operations in the admin: who did what, read-only."""

from django.contrib import admin
from django.contrib.admin.models import LogEntry
from unfold.decorators import display

from registry.admin import cells
from registry.admin.records import RecordAdmin


@admin.register(LogEntry)
class OperationsLogAdmin(RecordAdmin):
    list_display = ["when", "user", "subject", "deed"]
    list_filter = ["action_flag"]
    search_fields = ["object_repr", "change_message", "user__username"]
    list_select_related = ["user"]

    @display(description="when", ordering="action_time")
    def when(self, entry: LogEntry) -> str:
        return cells.when(entry.action_time)

    @display(description="subject")
    def subject(self, entry: LogEntry) -> str:
        return entry.object_repr

    @display(description="operation")
    def deed(self, entry: LogEntry) -> str:
        return cells.visible(entry.get_change_message())
