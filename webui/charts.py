<<<<<<< HEAD
"""The geometry of charts that pages draw as SVG: a student's trend, and how an assignment's scores are spread."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from webui.upstream.grading import GradedAssignment, Status

TREND_WIDTH, TREND_HEIGHT, MARGIN = 320, 90, 8
BAR_WIDTH, BARS_HEIGHT = 40, 120


@dataclass(frozen=True, kw_only=True)
class Point:
    x: float
    y: float
    percent: Decimal
    assignment: GradedAssignment


@dataclass(frozen=True, kw_only=True)
class Bar:
    x: int
    y: float
    height: float
    count: int
    # In points of the assignment: from (included) to (excluded, but for the last).
    least: Decimal
    below: Decimal | None
    label: str


def trend(assignments: Sequence[GradedAssignment]) -> list[Point]:
    """The share of its points that each graded assignment got, in order of their dates; up to 100 % fits the height."""
    graded = [each for each in assignments if each.grade.score is not None and Decimal(each.points) > 0]
    graded = [each for each in graded if each.grade.status is not Status.EXCUSED]
    graded.sort(key=lambda each: each.due_on or date.max)
    percents = [
        (100 * (Decimal(each.grade.score or 0) - Decimal(each.grade.late_deduction)) / Decimal(each.points)).quantize(
            Decimal("0.1")
        )
        for each in graded
    ]
    span, height = TREND_WIDTH - 2 * MARGIN, TREND_HEIGHT - 2 * MARGIN
    step = span / (len(graded) - 1) if len(graded) > 1 else 0
    return [
        Point(
            x=round(MARGIN + index * step, 1),
            y=round(MARGIN + height * (1 - float(min(max(percent, Decimal(0)), Decimal(100))) / 100), 1),
            percent=percent,
            assignment=each,
        )
        for index, (each, percent) in enumerate(zip(graded, percents, strict=True))
    ]


def bars(histogram: Sequence[int], *, points: str) -> list[Bar]:
    """One bar for each tenth of the points, and one for the scores above them where there are any."""
    tenth, most = Decimal(points) / 10, max([*histogram, 1])
    shown = histogram if len(histogram) > 10 and histogram[10] else histogram[:10]
    return [
        Bar(
            x=index * BAR_WIDTH,
            y=round(BARS_HEIGHT * (1 - count / most), 1),
            height=round(BARS_HEIGHT * count / most, 1),
            count=count,
            least=tenth * index,
            below=tenth * (index + 1) if index < 10 else None,
            label=f"{index * 10}" if index < 10 else "> 100",
        )
        for index, count in enumerate(shown)
    ]
=======
"""Small charts as inline SVG, which a strict content security policy allows, printers print and tests read."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, timedelta

from django.utils import formats
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from webui.templatetags.figures import duration, share
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
    title = _("%(share)s passed in %(days)s days") % {"share": share(_mean(days.values())), "days": BAR_DAYS}
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
            path += f"{'L' if joins else 'M'}{number * 4} {18 - 16 * value / highest:.1f}"
        joins = value is not None
    title = _("Latency in the last hours, at most %(most)s") % {"most": duration(highest) if path else "–"}
    return format_html(
        '<svg class="spark" viewBox="-1 0 {} 20" preserveAspectRatio="none" role="img"><title>{}</title><path d="{}"/></svg>',
        max(4, len(values) * 4 - 2),
        title,
        path,
    )


def uptime(periods: Sequence[Period], *, today: date) -> SafeString:
    """Ninety days, large: each bar says its day, its uptime and its latency to whoever points at it."""
    known = {period.start.date(): period for period in periods}
    bars = []
    for number in range(BAR_DAYS):
        day = today - timedelta(days=BAR_DAYS - 1 - number)
        period = known.get(day)
        failed = 0.0 if period is None or period.uptime is None else 1 - period.uptime
        height = 0 if failed <= 0 else max(4, round(failed * 60))
        words = _("no probes") if period is None else f"{share(period.uptime)}, {duration(period.latency_mean_ms)}"
        good = format_html('<rect class="bar-{}" y="{}" width="8" height="{}"/>', *(
            ("none", 54, 6) if period is None else ("good", height, 60 - height)
        ))
        bad = format_html('<rect class="bar-bad" width="8" height="{}"/>', height) if height else ""
        title = format_html("<title>{}: {}</title>", formats.date_format(day, "j M Y"), words)
        bars.append(format_html('<g transform="translate({} 0)">{}{}{}</g>', number * 10, title, good, bad))
    return format_html(
        '<svg class="uptime" viewBox="0 0 900 60" role="img" aria-label="{}">{}</svg>',
        _("Uptime by day; the table below says the same"),
        mark_safe("".join(bars)),  # noqa: S308 -- each was escaped
    )


def _mean(values: Collection[float]) -> float | None:
    return sum(values) / len(values) if values else None
>>>>>>> refs/heads/operator
