"""The rows of the admins' lists.

The theme makes all column headers and a form widget anew for each row and repeats its forty classes in each cell: a
page of fifty instances took three times as long and six times the bytes.
"""

from collections.abc import Iterator
from typing import Any

from django import template
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.utils import display_for_field, display_for_value, lookup_field
from django.contrib.admin.views.main import ChangeList
from django.db.models import Model
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from unfold.admin import checkbox
from unfold.templatetags.unfold_list import result_headers

from config import escaping

register = template.Library()


@register.inclusion_tag("rollcall/record_list.html")
def record_list(cl: ChangeList) -> dict[str, Any]:
    headers = list(result_headers(cl))
    labels = [str(header["text"]) for header in headers]
    return {
        "cl": cl,
        "result_headers": headers,
        "num_sorted_fields": sum(bool(header["sortable"] and header["sorted"]) for header in headers),
        "rows": [format_html_join("", "{}", ((cell,) for cell in _cells(cl, each, labels))) for each in cl.result_list],
    }


def _cells(cl: ChangeList, record: Model, labels: list[str]) -> Iterator[SafeString]:
    empty = cl.model_admin.get_empty_value_display()
    for name, label in zip(cl.list_display, labels, strict=True):
        if name == "action_checkbox":
            box = '<input type="checkbox" name="{}" value="{}" class="{}" aria-label="Select {}">'
            yield format_html(
                f'<td class="action-checkbox">{box}</td>',
                *(ACTION_CHECKBOX_NAME, record.pk, checkbox.attrs["class"], record),
            )
            continue
        field, attribute, value = lookup_field(name, record, cl.model_admin)
        if field is None:
            shown = display_for_value(value, empty, getattr(attribute, "boolean", False))
        else:
            shown = display_for_field(value, field, empty)
        if not isinstance(shown, SafeString):
            shown = escaping.visible(str(shown))
        if cl.list_display_links and name in cl.list_display_links:
            link = format_html('<a class="rc-name" href="{}">{}</a>', cl.url_for_result(record), shown)
            yield format_html('<th scope="row" class="field-{}" data-label="{}">{}</th>', name, label, link)
        else:
            yield format_html('<td class="field-{}" data-label="{}">{}</td>', name, label, shown)
