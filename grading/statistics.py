"""The distribution of an assignment's scores, exact but for the square root, and rounded once."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

BINS = 10


@dataclass(frozen=True, kw_only=True)
class Statistics:
    """Rounded to 0.01, half up; None without a score.

    Quartiles are interpolated between scores as Excel's QUARTILE.INC does; `deviation` is that of the whole
    population. `histogram` counts the scores below 10 % of the points, below 20 % and so on up to 100 %, and last those
    above; empty for an assignment without points.
    """

    count: int
    mean: Decimal | None
    median: Decimal | None
    lower_quartile: Decimal | None
    upper_quartile: Decimal | None
    deviation: Decimal | None
    least: Decimal | None
    greatest: Decimal | None
    histogram: tuple[int, ...]


def summarize(scores: Sequence[int], *, points: int) -> Statistics:
    """Scores and points are in hundredths: as exact as fractions, and a tenth of the work for a large course."""
    ordered, count = sorted(scores), len(scores)
    if not count:
        nothing = dict.fromkeys(
            ("mean", "median", "lower_quartile", "upper_quartile", "deviation", "least", "greatest")
        )
        return Statistics(count=0, histogram=_histogram([], points), **nothing)
    total = sum(ordered)
    # count squared times the variance.
    spread = count * sum(score * score for score in ordered) - total * total
    return Statistics(
        count=count,
        mean=_rounded(total, count),
        median=_rounded(_quartile(ordered, 2), 4),
        lower_quartile=_rounded(_quartile(ordered, 1), 4),
        upper_quartile=_rounded(_quartile(ordered, 3), 4),
        deviation=_rounded_root(spread, count),
        least=_rounded(ordered[0], 1),
        greatest=_rounded(ordered[-1], 1),
        histogram=_histogram(ordered, points),
    )


def _quartile(ordered: Sequence[int], number: int) -> int:
    """Four times the quartile, which is whole."""
    below, quarters = divmod(number * (len(ordered) - 1), 4)
    above = min(below + 1, len(ordered) - 1)
    return 4 * ordered[below] + quarters * (ordered[above] - ordered[below])


def _histogram(scores: Sequence[int], points: int) -> tuple[int, ...]:
    if not points:
        return ()
    counts = [0] * (BINS + 1)
    for score in scores:
        counts[BINS - 1 if score == points else min(score * BINS // points, BINS)] += 1
    return tuple(counts)


def _rounded(hundredths: int, parts: int) -> Decimal:
    """Round a number of hundredths in a number of parts, half up."""
    return Decimal((2 * hundredths + parts) // (2 * parts)).scaleb(-2)


def _rounded_root(spread: int, count: int) -> Decimal:
    """The square root of spread over count, half up, without a float: floor(root + 1/2) in whole numbers."""
    doubled = math.isqrt(4 * spread // count**2)
    return Decimal((doubled + 1) // 2).scaleb(-2)
