"""The distribution of an assignment's scores, exact but for the square root, and rounded once."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

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


def summarize(scores: Sequence[Decimal], *, points: Decimal) -> Statistics:
    ordered = sorted(map(Fraction, scores))
    if not ordered:
        nothing = dict.fromkeys(
            ("mean", "median", "lower_quartile", "upper_quartile", "deviation", "least", "greatest")
        )
        return Statistics(count=0, histogram=_histogram([], Fraction(points)), **nothing)
    mean = sum(ordered, Fraction()) / len(ordered)
    variance = sum(((score - mean) ** 2 for score in ordered), Fraction()) / len(ordered)
    return Statistics(
        count=len(ordered),
        mean=_rounded(mean),
        median=_rounded(_quantile(ordered, Fraction(1, 2))),
        lower_quartile=_rounded(_quantile(ordered, Fraction(1, 4))),
        upper_quartile=_rounded(_quantile(ordered, Fraction(3, 4))),
        deviation=_rounded_root(variance),
        least=_rounded(ordered[0]),
        greatest=_rounded(ordered[-1]),
        histogram=_histogram(ordered, Fraction(points)),
    )


def _quantile(ordered: Sequence[Fraction], share: Fraction) -> Fraction:
    place = share * (len(ordered) - 1)
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])


def _histogram(scores: Sequence[Fraction], points: Fraction) -> tuple[int, ...]:
    if not points:
        return ()
    counts = [0] * (BINS + 1)
    for score in scores:
        counts[BINS - 1 if score == points else min(math.floor(score * BINS / points), BINS)] += 1
    return tuple(counts)


def _rounded(value: Fraction) -> Decimal:
    return Decimal(math.floor(value * 100 + Fraction(1, 2))).scaleb(-2)


def _rounded_root(value: Fraction) -> Decimal:
    """The square root to 0.01, half up, without a float: floor(100 * root + 1/2) in whole numbers."""
    doubled = math.isqrt(math.floor(value * 40_000))
    return Decimal((doubled + 1) // 2).scaleb(-2)
