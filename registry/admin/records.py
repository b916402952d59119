"""The journal and the deliveries in the admin: records of what happened, to be looked at."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from registry.models import Delivery, JournalEntry


class RecordAdmin(ModelAdmin):
    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(JournalEntry)
class JournalAdmin(RecordAdmin):
    list_display = ["revision", "at", "change", "service", "instance", "author", "reason"]
    list_filter = ["change", "service"]
    search_fields = ["service", "instance", "author"]


@admin.register(Delivery)
class DeliveryAdmin(RecordAdmin):
    list_display = ["at", "service", "instance", "from_revision", "to_revision", "status_code", "duration_ms", "error"]
    list_filter = ["status_code", "service"]
    search_fields = ["service", "instance", "webhook_id"]
