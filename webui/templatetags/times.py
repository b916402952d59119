"""Times as pages show them: in the reader's own zone, or in UTC, which they then say."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from webui import zones

register = template.Library()
# A time of day this near needs no day beside it.
NEAR = timedelta(hours=12)


@register.filter
def clock(moment: datetime | None) -> SafeString | str:
    """The time of day, or the day with it where that is more than half a day away."""
    return _time(moment, "clock")


@register.filter
def moment(moment: datetime | None) -> SafeString | str:
    """A time like `clock`, to the millisecond."""
    return _time(moment, "moment")


@register.filter
def age(moment: datetime | None) -> SafeString | str:
    """The time that has passed, counted on by the page, as `12 s`; the time itself where scripts do not run."""
    return _time(moment, "age")


def _time(moment: datetime | None, show: str) -> SafeString | str:
    if moment is None:
        return ""
    return _element(moment, show, zones.reader(), abs(timezone.now() - moment) < NEAR)


@lru_cache(maxsize=8192)
def _element(moment: datetime, show: str, zone: ZoneInfo | None, is_near: bool) -> SafeString:
    """The exact time, with its zone and as it was sent, is in the title."""
    local = moment.astimezone(zone or UTC)
    stamp = moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    seconds = f"{local:%H:%M:%S}.{local.microsecond // 1000:03}" if show == "moment" else f"{local:%H:%M:%S}"
    if zone is None:
        text = f"{local.day} {local:%b} {seconds} UTC"
    elif is_near:
        text = seconds
    else:
        text = f"{local.day} {local:%b}, {seconds if show == 'moment' else f'{local:%H:%M}'}"
    exact = f"{local:%A}, {local.day} {local:%B} {local.year} at {local:%H:%M:%S} UTC{local:%z} ({stamp})"
    counts_on = SafeString(" data-age" if show == "age" else "")
    return format_html('<time datetime="{}" title="{}"{}>{}</time>', stamp, exact, counts_on, text)
