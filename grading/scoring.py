"""Totals from grades: what counts, what is dropped and why. Exact inside, rounded once at the end.

The rules are those that docs/grading.md explains.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from grading import drops
from grading.drops import Entry

# The least percentage for each letter, highest first.
LETTERS = {
    "A": 94,
    "A-": 90,
    "B+": 87,
    "B": 84,
    "B-": 80,
    "C+": 77,
    "C": 74,
    "C-": 70,
    "D+": 67,
    "D": 64,
    "D-": 61,
    "F": 0,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Item:
    """One assignment with what one student got for it; both amounts have at most two decimals."""

    id: int
    points: Decimal
    score: Decimal | None = None
    excused: bool = False
    published: bool = True
    extra_credit: bool = False
    omit_from_final: bool = False
    never_drop: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Category:
    id: int
    items: tuple[Item, ...]
    weight: Decimal = Decimal(0)
    drop_lowest: int = 0
    drop_highest: int = 0


class Outcome(StrEnum):
    """What became of an item in a total."""

    COUNTED = "counted"
    COUNTED_AS_ZERO = "counted as zero"
    EXTRA_CREDIT = "extra credit"
    DROPPED_LOWEST = "dropped as lowest"
    DROPPED_HIGHEST = "dropped as highest"
    NOT_GRADED = "not graded"
    EXCUSED = "excused"
    OMITTED = "omitted"
    UNPUBLISHED = "unpublished"

    @property
    def counts(self) -> bool:
        return self in _COUNTING


_COUNTING = frozenset({Outcome.COUNTED, Outcome.COUNTED_AS_ZERO, Outcome.EXTRA_CREDIT})


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """One item in a total: what it adds to the scores (`earned`) and to the points (`possible`)."""

    item: Item
    outcome: Outcome
    earned: Decimal
    possible: Decimal


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """One category in a total."""

    category: Category
    lines: tuple[Line, ...]
    earned: Decimal
    possible: Decimal

    @property
    def ratio(self) -> Fraction | None:
        return _ratio(self.earned, self.possible)


@dataclass(frozen=True, kw_only=True, slots=True)
class Total:
    """`exact` is the percentage before rounding; None while there is nothing to tell of."""

    exact: Fraction | None
    parts: tuple[Part, ...]

    @property
    def percent(self) -> Decimal | None:
        return None if self.exact is None else rounded(self.exact)

    @property
    def letter(self) -> str | None:
        return None if self.percent is None else letter(self.percent)


def current(categories: Iterable[Category], *, weighted: bool) -> Total:
    """The total of what is graded so far."""
    return _total(tuple(_part(category, blanks_count=False) for category in categories), weighted=weighted)


def final(categories: Iterable[Category], *, weighted: bool) -> Total:
    """The total if all that is still blank stayed so and counted as zero; None while nothing at all is graded."""
    parts = tuple(_part(category, blanks_count=True) for category in categories)
    total = _total(parts, weighted=weighted)
    graded = any(
        _ineligible(line.item) is None and line.item.score is not None for part in parts for line in part.lines
    )
    return total if graded else Total(exact=None, parts=parts)


def rounded(percentage: Fraction) -> Decimal:
    """To 0.01, half up; for percentages that are not negative, as all here."""
    return Decimal(math.floor(percentage * 100 + Fraction(1, 2))).scaleb(-2)


def letter(percent: Decimal) -> str:
    return next(name for name, bound in LETTERS.items() if bound <= percent)


def _total(parts: tuple[Part, ...], *, weighted: bool) -> Total:
    return Total(exact=_weighted(parts) if weighted else _in_points(parts), parts=parts)


def _weighted(parts: Iterable[Part]) -> Fraction | None:
    """Weights that add up to less than 100, also because a category has nothing yet, are scaled up; never down."""
    shares = [(Fraction(part.category.weight), part.ratio) for part in parts if part.ratio is not None]
    weight = sum((weight for weight, _ in shares), Fraction())
    if not weight:
        return None
    return 100 * sum((weight * ratio for weight, ratio in shares if ratio), Fraction()) / min(weight, Fraction(100))


def _in_points(parts: Sequence[Part]) -> Fraction | None:
    ratio = _ratio(sum(part.earned for part in parts), sum(part.possible for part in parts))
    return None if ratio is None else ratio * 100


def _part(category: Category, *, blanks_count: bool) -> Part:
    outcomes = {item.id: _outcome(item, blanks_count=blanks_count) for item in category.items}
    eligible = [item for item in category.items if outcomes[item.id].counts]
    outcomes |= _dropped(eligible, lowest=category.drop_lowest, highest=category.drop_highest)
    lines = tuple(_line(item, outcomes[item.id]) for item in category.items)
    return Part(
        category=category,
        lines=lines,
        earned=sum((line.earned for line in lines), Decimal()),
        possible=sum((line.possible for line in lines), Decimal()),
    )


def _outcome(item: Item, *, blanks_count: bool) -> Outcome:
    """What becomes of an item before anything is dropped."""
    reason = _ineligible(item)
    if reason is not None:
        return reason
    if item.score is None:
        return Outcome.COUNTED_AS_ZERO if blanks_count else Outcome.NOT_GRADED
    return Outcome.EXTRA_CREDIT if item.extra_credit else Outcome.COUNTED


def _ineligible(item: Item) -> Outcome | None:
    if not item.published:
        return Outcome.UNPUBLISHED
    if item.omit_from_final:
        return Outcome.OMITTED
    return Outcome.EXCUSED if item.excused else None


def _line(item: Item, outcome: Outcome) -> Line:
    if not outcome.counts:
        return Line(item=item, outcome=outcome, earned=Decimal(), possible=Decimal())
    return Line(item=item, outcome=outcome, earned=item.score or Decimal(), possible=_possible(item))


def _possible(item: Item) -> Decimal:
    return Decimal() if item.extra_credit else item.points


def _dropped(items: Sequence[Item], *, lowest: int, highest: int) -> dict[int, Outcome]:
    if not lowest and not highest:
        return {}
    entries = [
        Entry.of(id=item.id, score=item.score or Decimal(), points=_possible(item), never_drop=item.never_drop)
        for item in items
    ]
    dropped = drops.choose(entries, lowest=lowest, highest=highest)
    return {
        **dict.fromkeys(dropped.lowest, Outcome.DROPPED_LOWEST),
        **dict.fromkeys(dropped.highest, Outcome.DROPPED_HIGHEST),
    }


def _ratio(earned: Decimal | int, possible: Decimal | int) -> Fraction | None:
    return Fraction(earned) / Fraction(possible) if possible else None
