"""Small charts as inline SVG: they print, need no script, and say in words what they show."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

HEIGHT = 40
STEP = 8
GAP = 2


@dataclass(frozen=True, kw_only=True)
class Bar:
    """One column: its value, None where nothing was measured, and the text shown on hovering."""

    value: float | None
    title: str


def bars(values: Sequence[Bar], *, label: str) -> SafeString:
    """A bar chart that is scaled to its largest value."""
    largest = max((each.value or 0.0 for each in values), default=0.0)
    columns = []
    for number, each in enumerate(values):
        if not each.value or not largest:
            columns.append(_rect(number, HEIGHT - 1, 1, "rc-none", each.title))
            continue
        height = max(2.0, each.value / largest * HEIGHT)
        columns.append(_rect(number, HEIGHT - height, height, "rc-bar", each.title))
    return _drawing("".join(columns), count=len(values), label=label)


def shares(values: Sequence[Bar], *, label: str) -> SafeString:
    """Uptime: each column is filled by its share from 0 to 1, and what is missing to 1 is shown as failed."""
    columns = []
    for number, each in enumerate(values):
        if each.value is None:
            columns.append(_rect(number, HEIGHT - 6, 6, "rc-none", each.title))
            continue
        # A failure among a million probes is still to be seen.
        failed = 0.0 if each.value >= 1 else max(3.0, (1 - each.value) * HEIGHT)
        columns.append(_rect(number, failed, HEIGHT - failed, "rc-good", each.title))
        if failed:
            columns.append(_rect(number, 0, failed, "rc-bad", each.title))
    return _drawing("".join(columns), count=len(values), label=label)


def _rect(number: int, top: float, height: float, kind: str, title: str) -> SafeString:
    return format_html(
        '<rect class="{}" x="{}" y="{}" width="{}" height="{}"><title>{}</title></rect>',
        *(kind, number * STEP, f"{top:.1f}", STEP - GAP, f"{height:.1f}", title),
    )


def _drawing(columns: str, *, count: int, label: str) -> SafeString:
    drawn = format_html_join("", "{}", [(SafeString(columns),)])
    return format_html(
        '<svg class="rc-chart" viewBox="0 0 {} {}" preserveAspectRatio="none" role="img" aria-label="{}">{}</svg>',
        *(max(1, count * STEP - GAP), HEIGHT, label, drawn),
    )
