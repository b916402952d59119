"""The rules of totals written a second time, as plainly as they are documented: every choice of drops is tried."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from fractions import Fraction
from itertools import combinations, product

from grading.scoring import Category, Item

# A score, its points, and whether it is never dropped.
Entry = tuple[Fraction, Fraction, bool]
Sums = tuple[Fraction, Fraction]


def totals(categories: Sequence[Category], *, weighted: bool, final: bool) -> set[Fraction | None]:
    """Every percentage that the rules allow: several where choices of drops are equal."""
    if final and not any(_counts(item) and _shows(item) for each in categories for item in each.items):
        return {None}
    choices = [{_sums(kept) for kept in _kept(each, final=final)} for each in categories]
    found: set[Fraction | None] = set()
    for sums in product(*choices):
        if weighted:
            shares = [(Fraction(each.weight), s / p) for each, (s, p) in zip(categories, sums, strict=True) if p]
            weight = sum((weight for weight, _ in shares), Fraction())
            earned = 100 * sum((weight * share for weight, share in shares), Fraction())
            found.add(earned / min(weight, Fraction(100)) if weight else None)
        else:
            score, points = sum((s for s, _ in sums), Fraction()), sum((p for _, p in sums), Fraction())
            found.add(100 * score / points if points else None)
    return found


def _kept(category: Category, *, final: bool) -> Iterator[Sequence[Entry]]:
    entries = []
    for item in category.items:
        if _counts(item) and (final or _shows(item)):
            score = max((item.score or Decimal(0)) - item.late_deduction, Decimal(0)) if _shows(item) else Decimal(0)
            entries.append((Fraction(score), Fraction(0 if item.extra_credit else item.points), item.never_drop))
    fixed, free = [each for each in entries if each[2]], [each for each in entries if not each[2]]
    lowest = min(category.drop_lowest, max(len(free) - 1, 0))
    highest = category.drop_highest if lowest + category.drop_highest < len(free) else 0
    for best in _extremes(free, fixed, len(free) - lowest, sign=1):
        for kept in _extremes(best, fixed, len(best) - highest, sign=-1):
            yield [*fixed, *kept]


def _extremes(free: Sequence[Entry], fixed: Sequence[Entry], keep: int, *, sign: int) -> list[Sequence[Entry]]:
    """All choices of `keep` that are best by percentage, or by score where no choice has points."""
    chosen = [(_sums([*fixed, *each]), each) for each in combinations(free, keep)]
    if any(points for (_, points), _ in chosen):
        ranked = [(sign * score / points, each) for (score, points), each in chosen if points]
    else:
        ranked = [(sign * score, each) for (score, _), each in chosen]
    best = max(rank for rank, _ in ranked)
    return [each for rank, each in ranked if rank == best]


def _sums(entries: Sequence[Entry]) -> Sums:
    return sum((each[0] for each in entries), Fraction()), sum((each[1] for each in entries), Fraction())


def _counts(item: Item) -> bool:
    return item.published and not item.omit_from_final and not item.excused


def _shows(item: Item) -> bool:
    return item.score is not None and item.posted
