"""Small charts as inline SVG, which a strict content security policy allows, printers print and tests read."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

from django.urls import reverse
from django.utils import formats
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from webui.figures import NOTHING, duration, share
from webui.searches import Search
from webui.upstream.logs import Histogram
from webui.upstream.registry import Period

BAR_DAYS = 90
_STEP, _HEIGHT = 3, 20


def daily_bars(days: Mapping[date, float], *, today: date) -> SafeString:
    """A bar for each day, its upper part red by the share that failed; one path a colour, so that 500 stay light."""
    paths: dict[str, list[str]] = {"none": [], "good": [], "bad": []}
    for number in range(BAR_DAYS):
        uptime = days.get(today - timedelta(days=BAR_DAYS - 1 - number))
        x = number * _STEP + 1
        if uptime is None:
            paths["none"].append(f"M{x} {_HEIGHT - 3}v3")
            continue
        # A failure is seen however short it was.
        failed = 0 if uptime >= 1 else max(2, round((1 - uptime) * _HEIGHT))
        if failed:
            paths["bad"].append(f"M{x} 0v{failed}")
        if failed < _HEIGHT:
            paths["good"].append(f"M{x} {failed}v{_HEIGHT - failed}")
    mean = sum(days.values()) / len(days) if days else None
    title = _("%(share)s passed in %(days)s days") % {"share": share(mean), "days": BAR_DAYS}
    drawn = "".join(f'<path class="bar-{name}" d="{"".join(path)}"/>' for name, path in paths.items() if path)
    return format_html(
        '<svg class="bars" viewBox="0 0 {} {}" preserveAspectRatio="none" role="img"><title>{}</title>{}</svg>',
        *(BAR_DAYS * _STEP, _HEIGHT, title, mark_safe(drawn)),  # noqa: S308 -- made of numbers
    )


def sparkline(values: Sequence[float | None]) -> SafeString:
    """The latencies of the last hours; its gaps are hours without any."""
    highest = max((value for value in values if value is not None), default=0) or 1
    path, joins = "", False
    for number, value in enumerate(values):
        if value is not None:
            y = 18 - 16 * value / highest
            # An hour that stands alone is a dot.
            path += f"L{number * 4} {y:.1f}" if joins else f"M{number * 4} {y:.1f}h0"
        joins = value is not None
    title = _("Latency in the last hours, at most %(most)s") % {"most": duration(highest) if path else NOTHING}
    return format_html(
        '<svg class="spark" viewBox="-1 0 {} 20" preserveAspectRatio="none" role="img">'
        '<title>{}</title><path d="{}"/></svg>',
        max(4, len(values) * 4 - 2),
        title,
        path,
    )


def uptime(periods: Sequence[Period], *, today: date) -> SafeString:
    """Ninety days, large: pointing at a bar shows its day, uptime and latency."""
    known = {period.start.date(): period for period in periods}
    bars = []
    for number in range(BAR_DAYS):
        day = today - timedelta(days=BAR_DAYS - 1 - number)
        period = known.get(day)
        failed = 0.0 if period is None or period.uptime is None else 1 - period.uptime
        height = 0 if failed <= 0 else max(4, round(failed * 60))
        words = _("no probes") if period is None else f"{share(period.uptime)}, {duration(period.latency_mean_ms)}"
        good = format_html(
            '<rect class="bar-{}" y="{}" width="8" height="{}"/>',
            *(("none", 54, 6) if period is None else ("good", height, 60 - height)),
        )
        bad = format_html('<rect class="bar-bad" width="8" height="{}"/>', height) if height else ""
        title = format_html("<title>{}: {}</title>", formats.date_format(day, "j M Y"), words)
        bars.append(format_html('<g transform="translate({} 0)">{}{}{}</g>', number * 10, title, good, bad))
    return format_html(
        '<svg class="uptime" viewBox="0 0 900 60" role="img" aria-label="{}">{}</svg>',
        _("Uptime by day; the table below says the same"),
        mark_safe("".join(bars)),  # noqa: S308 -- each was escaped
    )


def histogram(found: Histogram, search: Search) -> SafeString:
    """Records by time; each bar leads to its own records, with what is severe drawn first, at the bottom."""
    highest = max((bucket.total for bucket in found.buckets), default=0) or 1
    width = 900 / max(1, len(found.buckets))
    bars = []
    for number, bucket in enumerate(found.buckets):
        if not bucket.total:
            continue
        severe = sum(count for level, count in bucket.levels.items() if level in ("ERROR", "FATAL"))
        warned = bucket.levels.get("WARN", 0)
        y, rects = 60.0, []
        for kind, count in (("bad", severe), ("warn", warned), ("calm", bucket.total - severe - warned)):
            if count:
                height = max(1.5, 58 * count / highest)
                y -= height
                rects.append(f'<rect class="bar-{kind}" y="{y:.1f}" width="{width - 1:.1f}" height="{height:.1f}"/>')
        title = ngettext("%(number)s record from %(time)s", "%(number)s records from %(time)s", bucket.total) % {
            "number": bucket.total,
            "time": f"{bucket.time:%d %b %H:%M:%S} UTC",
        }
        bars.append(
            format_html(
                '<a href="{}?{}" transform="translate({} 0)" aria-label="{}"><title>{}</title>{}</a>',
                *(reverse("logs"), search.zoomed(bucket.time, seconds=found.step_seconds)),
                *(f"{number * width:.1f}", title, title, mark_safe("".join(rects))),  # noqa: S308 -- made of numbers
            )
        )
    return format_html(
        '<svg class="histogram" viewBox="0 0 900 60" preserveAspectRatio="none">{}</svg>',
        mark_safe("".join(bars)),  # noqa: S308 -- each was escaped
    )
