"""The journal in the admin: every change, read-only."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.decorators import display

from registry.admin import cells
from registry.admin.records import DependentFilter, ExactFilter, RecordAdmin, is_revision, windowed
from registry.models import Change, JournalEntry


class ChangeFilter(admin.SimpleListFilter):
    title = "change"
    parameter_name = "change"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(value, str(label)) for value, label in Change.choices]

    def queryset(self, request: HttpRequest, queryset: QuerySet[JournalEntry]) -> QuerySet[JournalEntry]:
        if self.value() is None:
            return queryset
        return windowed(queryset, request.GET.get("up_to", "")).filter(change=self.value())


class UpToFilter(ExactFilter):
    title = "revision, and before it"
    parameter_name = "up_to"

    def narrow(self, request: HttpRequest, queryset: QuerySet[Any], value: str) -> QuerySet[Any]:
        return queryset.filter(revision__lte=int(value)) if is_revision(value) else queryset.none()


class AuthorFilter(ExactFilter):
    title = "author"
    parameter_name = "author"

    def narrow(self, request: HttpRequest, queryset: QuerySet[Any], value: str) -> QuerySet[Any]:
        return windowed(queryset, request.GET.get("up_to", "")).filter(author=value.replace("\0", ""))


@admin.register(JournalEntry)
class JournalAdmin(RecordAdmin):
    list_display = ["revision", "when", "kind", "provider_link", "by", "why"]
    list_filter = [DependentFilter, ChangeFilter, UpToFilter, AuthorFilter]
    list_before_template = "registry/admin/window.html"
    fields = ["revision", "when", "kind", "provider_link", "by", "why", "offered"]
    readonly_fields = fields

    @display(description="when", ordering="revision")
    def when(self, entry: JournalEntry) -> str:
        return cells.when(entry.at)

    @display(description="change")
    def kind(self, entry: JournalEntry) -> str:
        return cells.state(entry.change, entry.get_change_display())

    @display(description="instance")
    def provider_link(self, entry: JournalEntry) -> str:
        return cells.subject_link(entry.service, entry.instance)

    @display(description="author")
    def by(self, entry: JournalEntry) -> str:
        return cells.visible(entry.author)

    @display(description="reason")
    def why(self, entry: JournalEntry) -> str:
        return cells.text(cells.visible(entry.reason))

    @display(description="as offered since")
    def offered(self, entry: JournalEntry) -> str:
        return cells.code(entry.provider)
