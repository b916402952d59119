"""Totals from grades: what counts, what is dropped and why. Exact inside, rounded once at the end.

The rules are those that docs/grading.md explains.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from grading import drops
from grading.drops import Entry

ZERO = Decimal(0)
Letters = Mapping[str, Decimal | int]

# The least percentage for each letter, highest first: what a course without a scale of its own uses.
LETTERS: Letters = {
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
    """One assignment with what one student got for it; amounts have at most two decimals.

    `score` is as it was entered: `late_deduction` is still to be taken from it. A grade that is not `posted` is hidden
    from the student.
    """

    id: int
    points: Decimal
    score: Decimal | None = None
    late_deduction: Decimal = ZERO
    posted: bool = True
    excused: bool = False
    published: bool = True
    extra_credit: bool = False
    omit_from_final: bool = False
    never_drop: bool = False

    @property
    def effective_score(self) -> Decimal | None:
        """The score less the late deduction, and at least zero."""
        if self.score is None or not self.late_deduction:
            return self.score
        return max(self.score - self.late_deduction, ZERO)


@dataclass(frozen=True, kw_only=True, slots=True)
class Category:
    id: int
    items: tuple[Item, ...]
    weight: Decimal = Decimal(0)
    drop_lowest: int = 0
    drop_highest: int = 0


class Outcome(StrEnum):
    """The part that an item takes in a total, or the reason why it takes none."""

    COUNTED = "counted", True
    COUNTED_AS_ZERO = "counted as zero", True
    HIDDEN_AS_ZERO = "hidden, counted as zero", True
    EXTRA_CREDIT = "extra credit", True
    DROPPED_LOWEST = "dropped as lowest"
    DROPPED_HIGHEST = "dropped as highest"
    NOT_GRADED = "not graded"
    HIDDEN = "hidden"
    EXCUSED = "excused"
    OMITTED = "omitted"
    UNPUBLISHED = "unpublished"

    counts: bool

    def __new__(cls, value: str, counts: bool = False) -> "Outcome":
        member = str.__new__(cls, value)
        member._value_ = value
        member.counts = counts
        return member


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """One item in a total: what it adds to the scores (`earned`) and to the points (`possible`)."""

    item: Item
    outcome: Outcome
    earned: Decimal
    possible: Decimal


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """One category in a total. Sums are in whole hundredths, which are as exact as decimals and quick to add."""

    category: Category
    outcomes: tuple[Outcome, ...]
    earned_hundredths: int
    possible_hundredths: int

    @property
    def lines(self) -> tuple[Line, ...]:
        """Every item of the category, in its order."""
        return tuple(map(_line, self.category.items, self.outcomes))

    @property
    def earned(self) -> Decimal:
        return _decimal(self.earned_hundredths)

    @property
    def possible(self) -> Decimal:
        return _decimal(self.possible_hundredths)

    @property
    def ratio(self) -> Fraction | None:
        return _ratio(self.earned_hundredths, self.possible_hundredths)


@dataclass(frozen=True, kw_only=True, slots=True)
class Total:
    """`exact` is the percentage before rounding; None while nothing is graded."""

    exact: Fraction | None
    parts: tuple[Part, ...]

    @property
    def percent(self) -> Decimal | None:
        return None if self.exact is None else rounded(self.exact)

    @property
    def letter(self) -> str | None:
        return None if self.percent is None else letter(self.percent)


def current(categories: Iterable[Category], *, weighted: bool, with_unposted: bool = False) -> Total:
    """The total of what is graded so far; hidden grades are left out unless `with_unposted`."""
    rule = _Rule(blanks_count=False, with_unposted=with_unposted)
    return _total(tuple(_part(category, rule) for category in categories), weighted=weighted)


def final(categories: Iterable[Category], *, weighted: bool, with_unposted: bool = False) -> Total:
    """The total if every blank counted as zero, and every hidden grade unless `with_unposted`.

    None while nothing at all is graded.
    """
    categories = tuple(categories)
    rule = _Rule(blanks_count=True, with_unposted=with_unposted)
    parts = tuple(_part(category, rule) for category in categories)
    if any(rule.shows(item) and _ineligible(item) is None for category in categories for item in category.items):
        return _total(parts, weighted=weighted)
    return Total(exact=None, parts=parts)


def supposed(categories: Iterable[Category], scores: Mapping[int, Decimal | None]) -> list[Category]:
    """The categories as if these scores, by item, had been given: posted, on time and not excused."""

    def change(item: Item) -> Item:
        if item.id not in scores:
            return item
        return replace(item, score=scores[item.id], late_deduction=ZERO, excused=False, posted=True)

    return [replace(category, items=tuple(map(change, category.items))) for category in categories]


def rounded(percentage: Fraction) -> Decimal:
    """Round to 0.01, half up; for percentages that are not negative, as all here."""
    return Decimal(math.floor(percentage * 100 + Fraction(1, 2))).scaleb(-2)


def letter(percent: Decimal, letters: Letters = LETTERS) -> str:
    """The letter of the highest bound reached; `letters` go from high to low, the last at 0."""
    return next(name for name, bound in letters.items() if bound <= percent)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Rule:
    """The difference between the totals."""

    blanks_count: bool
    with_unposted: bool

    def shows(self, item: Item) -> bool:
        return item.score is not None and (item.posted or self.with_unposted)


def _total(parts: tuple[Part, ...], *, weighted: bool) -> Total:
    if weighted:
        return Total(exact=_weighted(parts), parts=parts)
    ratio = _ratio(sum(part.earned_hundredths for part in parts), sum(part.possible_hundredths for part in parts))
    return Total(exact=None if ratio is None else ratio * 100, parts=parts)


def _weighted(parts: Iterable[Part]) -> Fraction | None:
    """Weights that add up to less than 100, also because a category has nothing yet, are scaled up; never down."""
    shares = [(Fraction(part.category.weight), part.ratio) for part in parts if part.possible_hundredths]
    weight = sum((weight for weight, _ in shares), Fraction())
    if not weight:
        return None
    return 100 * sum((weight * ratio for weight, ratio in shares if ratio), Fraction()) / min(weight, Fraction(100))


def _part(category: Category, rule: _Rule) -> Part:
    outcomes = [_outcome(item, rule) for item in category.items]
    counting = [_entry(item, outcome) for item, outcome in zip(category.items, outcomes, strict=True) if outcome.counts]
    if category.drop_lowest or category.drop_highest:
        dropped = drops.choose(counting, lowest=category.drop_lowest, highest=category.drop_highest)
        counting = [entry for entry in counting if entry.id not in dropped.lowest and entry.id not in dropped.highest]
        outcomes = [
            Outcome.DROPPED_LOWEST
            if item.id in dropped.lowest
            else Outcome.DROPPED_HIGHEST
            if item.id in dropped.highest
            else outcome
            for item, outcome in zip(category.items, outcomes, strict=True)
        ]
    return Part(
        category=category,
        outcomes=tuple(outcomes),
        earned_hundredths=sum(entry.score for entry in counting),
        possible_hundredths=sum(entry.points for entry in counting),
    )


def _outcome(item: Item, rule: _Rule) -> Outcome:
    """The outcome of an item before anything is dropped."""
    reason = _ineligible(item)
    if reason is not None:
        return reason
    if not rule.shows(item):
        is_hidden = not item.posted and not rule.with_unposted
        if rule.blanks_count:
            return Outcome.HIDDEN_AS_ZERO if is_hidden else Outcome.COUNTED_AS_ZERO
        return Outcome.HIDDEN if is_hidden else Outcome.NOT_GRADED
    return Outcome.EXTRA_CREDIT if item.extra_credit else Outcome.COUNTED


def _ineligible(item: Item) -> Outcome | None:
    if not item.published:
        return Outcome.UNPUBLISHED
    if item.omit_from_final:
        return Outcome.OMITTED
    return Outcome.EXCUSED if item.excused else None


def _entry(item: Item, outcome: Outcome) -> Entry:
    """An item that counts, in hundredths."""
    is_zero = outcome is Outcome.COUNTED_AS_ZERO or outcome is Outcome.HIDDEN_AS_ZERO
    return Entry.of(
        id=item.id,
        score=ZERO if is_zero else item.effective_score or ZERO,
        points=ZERO if item.extra_credit else item.points,
        never_drop=item.never_drop,
    )


def _line(item: Item, outcome: Outcome) -> Line:
    if not outcome.counts:
        return Line(item=item, outcome=outcome, earned=ZERO, possible=ZERO)
    entry = _entry(item, outcome)
    return Line(item=item, outcome=outcome, earned=_decimal(entry.score), possible=_decimal(entry.points))


def _ratio(earned_hundredths: int, possible_hundredths: int) -> Fraction | None:
    return Fraction(earned_hundredths, possible_hundredths) if possible_hundredths else None


def _decimal(hundredths: int) -> Decimal:
    return Decimal(hundredths).scaleb(-2)
