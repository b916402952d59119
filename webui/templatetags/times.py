"""Times as pages show them: in UTC as they are sent, in the reader's own zone once scripts run."""

from datetime import UTC, datetime

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()


@register.filter
def clock(moment: datetime | None) -> SafeString | str:
    """The time of day, with the day where that is not today."""
    return _time(moment, show="clock", form="%d %b %H:%M:%S UTC")


@register.filter
def moment(moment: datetime | None) -> SafeString | str:
    """The time of day to the millisecond, with the day where that is not today."""
    if moment is None:
        return ""
    return _time(moment, show="moment", form=f"%d %b %H:%M:%S.{moment.microsecond // 1000:03} UTC")


@register.filter
def age(moment: datetime | None) -> SafeString | str:
    """How long ago, counted on by the page, as `12 s`; the time itself where scripts do not run."""
    return _time(moment, show="age", form="%d %b %H:%M:%S UTC")


def _time(moment: datetime | None, *, show: str, form: str) -> SafeString | str:
    if moment is None:
        return ""
    moment = moment.astimezone(UTC)
    stamp = moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return format_html('<time datetime="{}" data-show="{}">{}</time>', stamp, show, moment.strftime(form))
