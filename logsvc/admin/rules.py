"""Retention rules in the admin, and beside them the pages of records and of their usage."""

from typing import Any

from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest
from django.urls import URLPattern, path
from unfold.admin import ModelAdmin
from unfold.decorators import display

from logsvc.admin.records import RecordsView, RecordView
from logsvc.admin.usage import UsageView
from logsvc.models import RetentionRule


@admin.register(RetentionRule)
class RetentionRuleAdmin(ModelAdmin):
    list_display = ["__str__", "kept_for", "size", "is_archived"]
    list_before_template = "logsvc/admin/retention.html"
    search_fields = ["service"]
    list_filter = ["level"]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        default = {
            "days": settings.RETENTION_DAYS,
            "mebibytes": settings.RETENTION_MEBIBYTES,
            "is_archived": settings.ARCHIVE_ALL,
        }
        return super().changelist_view(request, {**(extra_context or {}), "default": default})

    @display(description="kept for", ordering="keep_days")
    def kept_for(self, rule: RetentionRule) -> str:
        return "as a wider rule or the default says" if rule.keep_days is None else f"{rule.keep_days} days"

    @display(description="at most, of each service", ordering="keep_mebibytes")
    def size(self, rule: RetentionRule) -> str:
        return "as a wider rule says" if rule.keep_mebibytes is None else f"{rule.keep_mebibytes:,} MiB"

    def get_urls(self) -> list[URLPattern]:
        def page(route: str, view: Any, name: str) -> URLPattern:
            found: URLPattern = path(route, self.admin_site.admin_view(view.as_view(model_admin=self)), name=name)
            return found

        own = [
            page("records/", RecordsView, "logsvc_records"),
            page("records/<int:identifier>/", RecordView, "logsvc_record"),
            page("usage/", UsageView, "logsvc_usage"),
        ]
        return [*own, *super().get_urls()]
