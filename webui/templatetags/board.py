"""Tags and filters of the board's templates."""

from collections.abc import Sequence
from typing import Any

from django import template
from django.utils.translation import gettext as _

from webui import alerts
from webui.board import State

register = template.Library()
STATE_ICONS = {
    State.PASSING: "circle-check",
    State.WARNING: "alert-triangle",
    State.DEGRADED: "alert-triangle",
    State.CRITICAL: "circle-x",
    State.MISSING: "question-mark",
    State.MAINTENANCE: "tool",
    State.DRAINING: "arrow-bar-to-down",
    State.STARTING: "hourglass",
}


@register.simple_tag(takes_context=True)
def part(context: dict[str, Any], kind: str, name: str = "") -> str:
    """A piece that was rendered already, by its id."""
    html: str = context["parts"].get(f"{kind}-{name}" if name else kind, "")
    return html


@register.filter
def group_title(name: str) -> str:
    match name:
        case "attention":
            return _("Needs attention")
        case "passing":
            return _("Passing")
    return name or _("Without")


@register.filter
def some_of(names: Sequence[str]) -> str:
    """The first names, and how many more there are."""
    return alerts.some_of(names)


@register.simple_tag
def state_symbols() -> list[tuple[str, str]]:
    """Each state with its icon."""
    return [(state, f"webui/icons/{icon}.svg") for state, icon in STATE_ICONS.items()]
