"""The bases of the admins' pages: lists with up to millions of rows, read-only models, and pages without a model."""

from functools import cached_property
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.views.generic import View
from django.views.generic.base import ContextMixin
from unfold.admin import ModelAdmin, TabularInline

# Lists with more rows than this should be narrowed by a search.
MOST_LISTED = 10_000


class BoundedPaginator(Paginator[Any]):
    """Counts no further than what is listed: to count millions of rows takes longer than to show a page of them."""

    @cached_property
    def count(self) -> int:
        rows = self.object_list
        if not isinstance(rows, QuerySet):
            return len(rows)
        return rows.order_by().values("pk")[:MOST_LISTED].count()


class ReadOnlyAdmin(ModelAdmin):
    """Records that are looked at and never edited.

    No filter lists the values of a column: of millions of rows that is a slow page.
    """

    paginator = BoundedPaginator
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class LabelledInline(TabularInline):
    """Rows whose fields have names for screen readers, too: the theme shows the labels in the table's head alone."""

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **options: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **options)
        if field is not None:
            field.widget.attrs["aria-label"] = field.label
        return field


class AdminPage(ContextMixin, View):
    """A page of the admin that belongs to no model, for users with all `permissions`."""

    title: str
    permissions: tuple[str, ...] = ()

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.user.has_perms(self.permissions):
            raise PermissionDenied
        return super().dispatch(request, *args, **kwargs)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**{**admin.site.each_context(self.request), "title": self.title, **kwargs})
