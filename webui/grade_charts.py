"""The geometry of charts that pages draw as SVG: a student's trend, and how an assignment's scores are spread."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from webui.upstream.grading_answers import GradedAssignment, Status

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
