"""Chooses the grades of a category to drop: those whose absence makes its percentage the highest, or the lowest, there
is.

After Daniel Kane and Jonathan Kane, "Dropping lowest grades", Mathematics Magazine 79 (2006): taking the lowest
percentages first is not always best, and trying every choice is not needed.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One grade in whole hundredths: as exact as fractions, and several times as quick to compare."""

    id: int
    score: int
    points: int
    never_drop: bool

    @classmethod
    def of(cls, *, id: int, score: Decimal, points: Decimal, never_drop: bool) -> "Entry":  # noqa: A002 -- as the field is called
        """Raises ValueError for an amount of more than two decimals."""
        return cls(id=id, score=_hundredths(score), points=_hundredths(points), never_drop=never_drop)


@dataclass(frozen=True, kw_only=True, slots=True)
class Dropped:
    """Ids of what is dropped, and why."""

    lowest: frozenset[int]
    highest: frozenset[int]


def choose(entries: Sequence[Entry], *, lowest: int, highest: int) -> Dropped:
    """One of those that may be dropped always stays, and the lowest go before the highest."""
    fixed = [entry for entry in entries if entry.never_drop]
    free = [entry for entry in entries if not entry.never_drop]
    lowest = min(lowest, max(len(free) - 1, 0))
    highest = highest if lowest + highest < len(free) else 0
    best = _extreme(free, fixed=fixed, keep=len(free) - lowest, sign=1)
    kept = _extreme(best, fixed=fixed, keep=len(best) - highest, sign=-1)
    return Dropped(lowest=_ids(free) - _ids(best), highest=_ids(best) - _ids(kept))


def _extreme(free: Sequence[Entry], *, fixed: Sequence[Entry], keep: int, sign: int) -> list[Entry]:
    """The `keep` entries of `free` that, with all of `fixed`, make `sign` times sum(score) / sum(points) the largest.

    A choice without points has no percentage and is taken only where there is no other. Each round takes the highest
    score - q * points, and the ratio of what it took is the next q; once q stays, no choice has a better ratio.
    """
    if keep == len(free):
        return list(free)
    needs_points = any(entry.points for entry in free) and not any(entry.points for entry in fixed)
    earned, possible = _sums([*fixed, *free])
    while True:
        # score - q * points, times the points of q to stay whole.
        lead = {entry.id: sign * (entry.score * possible - earned * entry.points) for entry in free}
        kept = _top(free, keep, lead, needs_points=needs_points)
        next_earned, next_possible = _sums([*fixed, *kept])
        if earned * next_possible == next_earned * possible:
            return kept
        earned, possible = next_earned, next_possible


def _sums(entries: Sequence[Entry]) -> tuple[int, int]:
    """The sums of the scores and of the points; without points the scores alone decide, as if q were zero."""
    points = sum(entry.points for entry in entries)
    return (sum(entry.score for entry in entries), points) if points else (0, 1)


def _top(free: Sequence[Entry], keep: int, lead: Mapping[int, int], *, needs_points: bool) -> list[Entry]:
    """The `keep` of the highest lead, in the order given; among equals the ones with more points, then the earlier."""
    ranked = sorted(free, key=lambda entry: (lead[entry.id], entry.points), reverse=True)
    kept = ranked[:keep]
    if needs_points and not any(entry.points for entry in kept):
        kept[-1] = next(entry for entry in ranked if entry.points)
    ids = _ids(kept)
    return [entry for entry in free if entry.id in ids]


def _ids(entries: Iterable[Entry]) -> frozenset[int]:
    return frozenset(entry.id for entry in entries)


@lru_cache(maxsize=16384)
def _hundredths(amount: Decimal) -> int:
    number = amount.scaleb(2)
    if number != int(number):
        raise ValueError(f"{amount} has more than two decimals")
    return int(number)
