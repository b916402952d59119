"""Dropped grades, against trying every choice."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from fractions import Fraction
from itertools import combinations
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grading import drops
from grading.drops import Entry

# Small ones meet more ties, and more grades without points.
amounts = st.integers(0, 5) | st.integers(0, 20_000)


@st.composite
def any_entries(draw: st.DrawFn) -> list[Entry]:
    rows = draw(st.lists(st.tuples(amounts, amounts, st.booleans()), max_size=7))
    return [
        Entry(id=number, score=score, points=points, never_drop=never_drop)
        for number, (score, points, never_drop) in enumerate(rows)
    ]


def entries(*results: tuple[int, int]) -> list[Entry]:
    return [
        Entry(id=number, score=score, points=points, never_drop=False) for number, (score, points) in enumerate(results)
    ]


def without(entries: Iterable[Entry], ids: frozenset[int]) -> list[Entry]:
    return [entry for entry in entries if entry.id not in ids]


def choices(entries: Sequence[Entry], dropped: int) -> list[list[Entry]]:
    """Every way to drop so many of them."""
    fixed = [entry for entry in entries if entry.never_drop]
    free = [entry for entry in entries if not entry.never_drop]
    return [[*fixed, *kept] for kept in combinations(free, len(free) - dropped)]


def ratio(entries: Iterable[Entry]) -> Fraction | None:
    entries = list(entries)
    points = sum(entry.points for entry in entries)
    return Fraction(sum(entry.score for entry in entries), points) if points else None


def ratios(choices: Iterable[Iterable[Entry]]) -> list[Fraction]:
    return [found for found in map(ratio, choices) if found is not None]


@given(any_entries(), st.integers(0, 8))
def test_no_other_choice_of_the_lowest_leaves_a_higher_percentage(entries: list[Entry], lowest: int) -> None:
    dropped = drops.choose(entries, lowest=lowest, highest=0).lowest
    every = choices(entries, len(dropped))
    assert ratio(without(entries, dropped)) == max(ratios(every), default=None)
    if not ratios(every):
        scores = [sum(entry.score for entry in choice) for choice in every]
        assert sum(entry.score for entry in without(entries, dropped)) == max(scores)


@given(any_entries(), st.integers(0, 4), st.integers(0, 4))
def test_no_other_choice_of_the_highest_leaves_a_lower_percentage(
    entries: list[Entry], lowest: int, highest: int
) -> None:
    dropped = drops.choose(entries, lowest=lowest, highest=highest)
    left = without(entries, dropped.lowest)
    assert ratio(without(left, dropped.highest)) == min(ratios(choices(left, len(dropped.highest))), default=None)


@given(any_entries(), st.integers(0, 8), st.integers(0, 8))
def test_as_many_are_dropped_as_the_rule_says_and_one_always_stays(
    entries: list[Entry], lowest: int, highest: int
) -> None:
    dropped = drops.choose(entries, lowest=lowest, highest=highest)
    free = {entry.id for entry in entries if not entry.never_drop}
    assert dropped.lowest | dropped.highest <= free
    assert not dropped.lowest & dropped.highest
    assert len(dropped.lowest) == min(lowest, max(len(free) - 1, 0))
    assert len(dropped.highest) == (highest if len(dropped.lowest) + highest < len(free) else 0)


@given(any_entries(), st.integers(0, 4), st.randoms())
def test_the_order_of_the_grades_changes_no_sum(entries: list[Entry], lowest: int, random: Random) -> None:
    shuffled = list(entries)
    random.shuffle(shuffled)
    sums = []
    for order in (entries, shuffled):
        kept = without(order, drops.choose(order, lowest=lowest, highest=0).lowest)
        sums.append((sum(entry.score for entry in kept), sum(entry.points for entry in kept)))
    assert sums[0] == sums[1]


def test_the_lowest_percentage_is_not_always_the_one_to_drop() -> None:
    """20 of 80 is a better percentage than 1 of 20, and yet dropping it leaves more."""
    assert drops.choose(entries((80, 100), (20, 80), (1, 20)), lowest=1, highest=0).lowest == {1}


def test_the_lowest_and_then_the_highest_are_dropped() -> None:
    dropped = drops.choose(entries((5, 10), (9, 10), (1, 10), (7, 10)), lowest=1, highest=1)
    assert dropped.lowest == {2}
    assert dropped.highest == {1}


def test_of_two_equal_grades_the_earlier_stays() -> None:
    assert drops.choose(entries((5, 10), (5, 10)), lowest=1, highest=0).lowest == {1}


def test_a_choice_with_points_is_preferred_to_extra_credit_alone() -> None:
    assert drops.choose(entries((5, 0), (8, 10)), lowest=1, highest=0).lowest == {0}


def test_amounts_that_would_have_to_be_rounded_are_refused() -> None:
    with pytest.raises(ValueError, match="more than two decimals"):
        Entry.of(id=1, score=Decimal("9.999"), points=Decimal(10), never_drop=False)
