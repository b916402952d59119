"""The contents of table cells in every admin: badges, links, times, and tables that fit a narrow screen."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString


def state(name: str, text: str = "") -> SafeString:
    """A badge in the colour of a status, a service's state or a change; `text` where it says more than that."""
    return format_html('<span class="rc-state rc-{}">{}</span>', name, text or name)


def link(url: str, text: str) -> SafeString:
    return format_html('<a class="rc-name" href="{}">{}</a>', url, text)


def table(headers: Sequence[str], rows: Iterable[Sequence[str]]) -> SafeString:
    """A table whose rows become a few named lines each on a narrow screen."""
    head = format_html_join("", "<th>{}</th>", ((each,) for each in headers))
    body = format_html_join(
        "",
        "<tr>{}</tr>",
        ((format_html_join("", '<td data-label="{}">{}</td>', zip(headers, row, strict=True)),) for row in rows),
    )
    lines = format_html("<thead><tr>{}</tr></thead><tbody>{}</tbody>", head, body)
    return format_html('<div class="rc-scroll"><table class="rc-table rc-stacks">{}</table></div>', lines)


def when(at: datetime | None) -> SafeString:
    """A time that stays on one line in a narrow cell."""
    return format_html('<span class="rc-nowrap">{}</span>', moment(at))


def moment(at: datetime | None) -> str:
    return "never" if at is None else f"{at:%Y-%m-%d %H:%M:%S} UTC"
