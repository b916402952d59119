"""Retention rules in the admin, and beside them the pages of records and of their usage."""

from typing import Any

from django.contrib import admin
from django.urls import URLPattern, path
from unfold.admin import ModelAdmin

from logsvc.admin.records import RecordsView, RecordView
from logsvc.admin.usage import UsageView
from logsvc.models import RetentionRule


@admin.register(RetentionRule)
class RetentionRuleAdmin(ModelAdmin):
    list_display = ["__str__", "keep_days", "keep_mebibytes", "is_archived"]
    search_fields = ["service"]
    list_filter = ["level"]

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
