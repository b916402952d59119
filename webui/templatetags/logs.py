"""Filters of the log's templates: a field that narrows the search by a click."""

import re
from typing import Any

import msgspec
from django import template
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from webui.searches import Search

register = template.Library()


@register.simple_tag(takes_context=True)
def narrowed(context: dict[str, Any], field: str, value: str, *, exclude: bool = False) -> str:
    search: Search = context["search"]
    return search.narrowed(field, value.lower() if field == "level" else value, exclude=exclude)


@register.filter
def dotted(name: str) -> SafeString:
    """A name that breaks after its dots, where there is room for what stands between them."""
    return format_html_join(mark_safe("<wbr>"), "{}", ((part,) for part in re.split(r"(?<=\.)", name)))


@register.simple_tag(takes_context=True)
def member(context: dict[str, Any], field: str, value: str) -> SafeString:
    search: Search = context["search"]
    return format_html(
        '<a class="break" href="{}?{}">{}</a> <a class="facet-not" href="{}?{}" aria-label="{}">&minus;</a>',
        *(reverse("logs"), search.narrowed(field, value), value),
        *(reverse("logs"), search.narrowed(field, value, exclude=True), f"-{field}:{value}"),
    )


@register.simple_tag(takes_context=True)
def member_of_attribute(context: dict[str, Any], name: str, value: object) -> SafeString:
    """A value that can be searched for as a link, anything deeper as JSON."""
    field = f"attr.{name}" if name.replace("_", "").replace(".", "").isalnum() else f'attr."{name}"'
    if isinstance(value, str | int | float | bool) and len(str(value)) < 200:
        return member(context, field, str(value).lower() if isinstance(value, bool) else str(value))
    return format_html('<span class="break">{}</span>', msgspec.json.encode(value).decode())
