"""A fragment written in Jinja2 within a page of Django's templates; see webui/fragments.py."""

from typing import Any

from django import template
from django.template import engines
from django.template.context import Context
from django.utils.safestring import SafeString, mark_safe

register = template.Library()


@register.simple_tag(takes_context=True)
def fragment(context: Context, name: str, **more: Any) -> SafeString:
    given: dict[str, Any] = {**context.flatten(), **more}  # type: ignore[dict-item]  # its keys are names
    return mark_safe(engines["jinja2"].get_template(name).render(given))  # noqa: S308 -- it escapes
