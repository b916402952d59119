"""The calculator, against the rules."""

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grading import scoring
from grading.scoring import Category, Item, Outcome

amounts = st.decimals(min_value=0, max_value=200, places=2)


any_items = st.lists(
    st.builds(
        Item,
        id=st.just(0),
        points=amounts,
        score=st.none() | amounts,
        excused=st.booleans(),
        published=st.booleans(),
        extra_credit=st.booleans(),
        omit_from_final=st.booleans(),
        never_drop=st.booleans(),
    ),
    max_size=6,
)


@st.composite
def gradebooks(draw: st.DrawFn) -> list[Category]:
    """Any categories at all, with ids of their own for every item."""
    categories = []
    for number in range(draw(st.integers(0, 3))):
        items = tuple(replace(item, id=number * 100 + index) for index, item in enumerate(draw(any_items)))
        categories.append(
            Category(
                id=number,
                items=items,
                weight=draw(st.decimals(0, 80, places=2)),
                drop_lowest=draw(st.integers(0, 4)),
                drop_highest=draw(st.integers(0, 4)),
            )
        )
    return categories


def scored(*results: tuple[str | None, str], **rules: int) -> Category:
    items = tuple(
        Item(id=number, points=Decimal(points), score=None if score is None else Decimal(score))
        for number, (score, points) in enumerate(results)
    )
    return Category(id=1, items=items, weight=Decimal(100), **rules)


def outcomes(total: scoring.Total) -> list[Outcome]:
    return [line.outcome for part in total.parts for line in part.lines]


@given(gradebooks(), st.booleans())
def test_the_lines_of_a_total_are_enough_to_work_it_out_again(categories: list[Category], weighted: bool) -> None:
    for total in (scoring.current(categories, weighted=weighted), scoring.final(categories, weighted=weighted)):
        if total.exact is None:
            continue
        earned = [sum(Fraction(line.earned) for line in part.lines) for part in total.parts]
        possible = [sum(Fraction(line.possible) for line in part.lines) for part in total.parts]
        if weighted:
            rows = zip(categories, earned, possible, strict=True)
            shares = [(Fraction(category.weight), s / p) for category, s, p in rows if p]
            weight = sum(weight for weight, _ in shares)
            expected = 100 * sum(weight * ratio for weight, ratio in shares) / min(weight, Fraction(100))
        else:
            expected = 100 * sum(earned) / sum(possible)
        assert total.exact == expected


@given(gradebooks(), st.booleans(), st.none() | amounts)
def test_what_is_excused_never_matters(categories: list[Category], weighted: bool, score: Decimal | None) -> None:
    rescored = [
        replace(each, items=tuple(replace(item, score=score) if item.excused else item for item in each.items))
        for each in categories
    ]
    for total in (scoring.current, scoring.final):
        assert total(categories, weighted=weighted).exact == total(rescored, weighted=weighted).exact


@given(gradebooks(), st.booleans())
def test_nothing_graded_is_no_percentage_and_never_zero(categories: list[Category], weighted: bool) -> None:
    blank = [replace(each, items=tuple(replace(item, score=None) for item in each.items)) for each in categories]
    for total in (scoring.current(blank, weighted=weighted), scoring.final(blank, weighted=weighted)):
        assert (total.exact, total.percent, total.letter) == (None, None, None)


@given(st.fractions(min_value=0, max_value=1000, max_denominator=10**6))
def test_rounding_goes_to_the_nearest_hundredth_and_half_goes_up(percentage: Fraction) -> None:
    rounded = scoring.rounded(percentage)
    assert -Fraction(1, 200) < Fraction(rounded) - percentage <= Fraction(1, 200)
    assert rounded.as_tuple().exponent == -2


def test_the_totals_of_categories_are_not_rounded_before_they_are_added() -> None:
    thirds = [
        Category(id=number, items=(Item(id=number, points=Decimal(3), score=Decimal(1)),), weight=Decimal(50))
        for number in (1, 2)
    ]
    assert scoring.current(thirds, weighted=True).exact == Fraction(100, 3)
    assert scoring.current(thirds, weighted=True).percent == Decimal("33.33")


def test_the_lowest_percentage_is_not_always_the_one_to_drop() -> None:
    """Kane and Kane's own example: dropping 20 of 80, a better percentage than 1 of 20, gives more."""
    total = scoring.current([scored(("80", "100"), ("20", "80"), ("1", "20"), drop_lowest=1)], weighted=False)
    assert outcomes(total) == [Outcome.COUNTED, Outcome.DROPPED_LOWEST, Outcome.COUNTED]
    assert total.percent == Decimal("67.50")


def test_extra_credit_adds_to_the_score_and_not_to_the_points() -> None:
    extra = Item(id=9, points=Decimal(5), score=Decimal(5), extra_credit=True)
    ordinary = Item(id=1, points=Decimal(10), score=Decimal(10))
    assert scoring.current([Category(id=1, items=(ordinary, extra))], weighted=False).percent == Decimal("150.00")


def test_the_current_total_leaves_blanks_out_and_the_final_one_counts_them_as_zero() -> None:
    categories = [scored(("9", "10"), (None, "10"))]
    assert scoring.current(categories, weighted=True).percent == Decimal("90.00")
    final = scoring.final(categories, weighted=True)
    assert final.percent == Decimal("45.00")
    assert outcomes(final) == [Outcome.COUNTED, Outcome.COUNTED_AS_ZERO]


def test_a_zero_is_a_grade_and_not_a_blank() -> None:
    assert scoring.current([scored(("0", "10"))], weighted=True).percent == Decimal("0.00")
    assert scoring.current([scored(("0", "10"))], weighted=True).letter == "F"


def test_a_blank_can_be_dropped_from_the_final_total() -> None:
    final = scoring.final([scored(("9", "10"), (None, "10"), drop_lowest=1)], weighted=True)
    assert final.percent == Decimal("90.00")


@pytest.mark.parametrize(
    ("weights", "percent"),
    [(("30", "50"), "87.50"), (("60", "40"), "92.00"), (("100", "20"), "116.00"), (("0", "0"), None)],
)
def test_weights_below_a_hundred_are_scaled_up_and_above_it_not_down(
    weights: tuple[str, str], percent: str | None
) -> None:
    categories = [
        Category(id=1, items=(Item(id=1, points=Decimal(10), score=Decimal(10)),), weight=Decimal(weights[0])),
        Category(id=2, items=(Item(id=2, points=Decimal(10), score=Decimal(8)),), weight=Decimal(weights[1])),
    ]
    assert scoring.current(categories, weighted=True).percent == (None if percent is None else Decimal(percent))


@pytest.mark.parametrize(
    ("percent", "letter"),
    [
        ("150", "A"),
        ("94", "A"),
        ("93.99", "A-"),
        ("90", "A-"),
        ("89.99", "B+"),
        ("61", "D-"),
        ("60.99", "F"),
        ("0", "F"),
    ],
)
def test_a_letter_is_the_highest_whose_bound_is_reached(percent: str, letter: str) -> None:
    assert scoring.letter(Decimal(percent)) == letter


def test_a_letter_goes_by_the_rounded_percentage() -> None:
    total = scoring.current([scored(("9399.5", "10000"))], weighted=False)
    assert (total.percent, total.letter) == (Decimal("94.00"), "A")


def test_the_example_in_the_documentation_is_right() -> None:
    homework = scored(("80", "100"), ("20", "80"), ("1", "20"), drop_lowest=1)
    tests = scored(("85", "100"), (None, "100"))
    quizzes = Category(id=3, items=(Item(id=0, points=Decimal(15), excused=True),), weight=Decimal(20))
    categories = [replace(homework, weight=Decimal(30)), replace(tests, id=2, weight=Decimal(50)), quizzes]

    current, final = scoring.current(categories, weighted=True), scoring.final(categories, weighted=True)
    assert (current.exact, current.percent, current.letter) == (Fraction("78.4375"), Decimal("78.44"), "C+")
    assert (final.exact, final.percent, final.letter) == (Fraction("51.875"), Decimal("51.88"), "F")
    assert outcomes(current)[:3] == [Outcome.COUNTED, Outcome.DROPPED_LOWEST, Outcome.COUNTED]
