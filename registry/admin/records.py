"""The base of the registry's lists: read-only, quick with millions of rows, and to be exported."""

import csv
from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import Model, QuerySet
from django.http import HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from unfold.contrib.filters.admin import TextFilter

from config.admin.pages import ReadOnlyAdmin
from registry.admin import audit
from registry.admin.forms import ReasonForm

MOST_EXPORTED = 10_000
# The fields that a list posts for its selection.
_SELECTION = ("action", "select_across", ACTION_CHECKBOX_NAME)
# How many of the newest rows a filter looks through when no index serves it.
WINDOW = 50_000


class RecordAdmin(ReadOnlyAdmin):
    list_filter_submit = True
    list_per_page = 50
    empty_value_display = ""
    actions = ["export_csv"]

    @admin.action(description="Export as CSV ...", permissions=["view"])
    def export_csv(self, request: HttpRequest, chosen: QuerySet[Any]) -> HttpResponseBase:
        """Asks first, on a page that sends the selection again together with the reason."""
        count = chosen.order_by().values("pk")[:MOST_EXPORTED].count()
        name = str(self.opts.verbose_name if count == 1 else self.opts.verbose_name_plural)
        form = ReasonForm(request.POST if "confirmed" in request.POST else None)
        if not form.is_valid():
            context = {
                **self.admin_site.each_context(request),
                "title": "Export as CSV",
                "opts": self.opts,
                "form": form,
                "name": name,
                "count": count,
                "most": MOST_EXPORTED,
                "selection": [(key, value) for key in _SELECTION for value in request.POST.getlist(key)],
                "back": request.get_full_path(),
            }
            return TemplateResponse(request, "registry/admin/export.html", context)
        reason, filters = form.cleaned_data["reason"], request.GET.urlencode()
        said = f"Exported {count} {name} as CSV" + (f", filtered by {filters}." if filters else ".")
        audit.log(request, name, f"{said} Reason: {reason}" if reason else said, key=None, model=self.model)
        headers = {"Content-Disposition": f'attachment; filename="{self.opts.model_name}.csv"'}
        return StreamingHttpResponse(_csv(self.model, chosen), content_type="text/csv; charset=utf-8", headers=headers)


class ExactFilter(TextFilter):
    """A text field beside a list; a subclass names the parameter and filters by `self.value()`."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = (self.value() or "").strip()
        return self.narrow(request, queryset, value) if value else queryset

    def narrow(self, request: HttpRequest, queryset: QuerySet[Any], value: str) -> QuerySet[Any]:
        return queryset.filter(**{self.parameter_name or "": value})


class DependentFilter(ExactFilter):
    """The instances of one service, or with a slash one instance; served by an index."""

    title = "service, or service/instance"
    parameter_name = "service"

    def narrow(self, request: HttpRequest, queryset: QuerySet[Any], value: str) -> QuerySet[Any]:
        service, _, instance = value.partition("/")
        found = queryset.filter(service=service)
        return found.filter(instance=instance) if instance else found


def windowed(queryset: QuerySet[Any], up_to: str = "") -> QuerySet[Any]:
    """The newest WINDOW rows, or those before `up_to`, for a filter that no index serves."""
    rows = queryset.model._default_manager.order_by("-pk").values_list("pk", flat=True)
    newest = int(up_to) if is_revision(up_to) else rows.first() or 0
    return queryset.filter(pk__gt=newest - WINDOW, pk__lte=newest)


def is_revision(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= 18


# Never exported: what webhooks are signed with.
_SECRETS = frozenset({"notify_secret", "previous_notify_secret"})


class _Echo:
    """A file for csv.writer that gives back each line instead of keeping it."""

    def write(self, line: str) -> str:
        return line


def _csv(model: type[Model], chosen: QuerySet[Any]) -> Iterator[str]:
    names = [field.attname for field in model._meta.concrete_fields if field.attname not in _SECRETS]
    writer = csv.writer(_Echo())
    yield writer.writerow(names)
    for values in chosen.values_list(*names)[:MOST_EXPORTED]:
        yield writer.writerow([_cell(value) for value in values])


def _cell(value: Any) -> str:
    """Text that no spreadsheet takes for a formula (OWASP, CSV injection)."""
    text = "" if value is None else strip_control(str(value))
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def strip_control(text: str) -> str:
    return "".join(character if character.isprintable() else " " for character in text)
