"""Contents of the cells in the admin's tables."""

import unicodedata

from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from logsvc import severity, timestamps
from logsvc.record import Stored

_COLOURS = {"WARN": "warning", "ERROR": "critical", "FATAL": "critical", "INFO": "registered"}
_CELL_LENGTH = 300


def level(number: int) -> SafeString:
    name = severity.range_of(number).name
    return format_html('<span class="rc-state rc-{}">{}</span>', _COLOURS.get(name, "quiet"), name)


def when(time_ns: int) -> SafeString:
    words = timestamps.wire(time_ns // 1_000_000 * 1_000_000)
    return format_html('<span class="rc-nowrap">{} {} UTC</span>', words[:10], words[11:23])


def record_link(record: Stored) -> SafeString:
    return format_html(
        '<a class="font-mono rc-link rc-why" href="{}">{}</a>',
        reverse("admin:logsvc_record", args=[record.id]),
        visible(record.body[:_CELL_LENGTH]) or "(empty)",
    )


def visible(text: str) -> str:
    """`text` with control and bidirectional characters written as escapes: none changes what stands beside it."""
    return "".join(
        character
        if character in "\n\t" or unicodedata.category(character) not in ("Cc", "Cf")
        else character.encode("unicode_escape").decode()
        for character in text
    )


def size(count: float) -> str:
    for unit in ("B", "KiB", "MiB", "GiB"):
        if count < 1024 or unit == "GiB":
            break
        count /= 1024
    return f"{count:,.0f} {unit}" if unit == "B" else f"{count:,.1f} {unit}"
