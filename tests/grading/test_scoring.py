"""The calculator, against the rules."""

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grading import scoring
from grading.scoring import Category, Item, Outcome
from tests.grading import oracle

amounts = st.decimals(min_value=0, max_value=200, places=2)


any_items = st.lists(
    st.builds(
        Item,
        id=st.just(0),
        points=amounts,
        score=st.none() | amounts,
        excused=st.booleans(),
        late_deduction=amounts,
        published=st.booleans(),
        posted=st.booleans(),
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


@given(gradebooks(), st.booleans())
def test_totals_are_those_of_the_rules_written_a_second_time(categories: list[Category], weighted: bool) -> None:
    current, final = scoring.current(categories, weighted=weighted), scoring.final(categories, weighted=weighted)
    assert current.exact in oracle.totals(categories, weighted=weighted, final=False)
    assert final.exact in oracle.totals(categories, weighted=weighted, final=True)


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


def shuffled(categories: list[Category], random: Random) -> list[Category]:
    found = [replace(each, items=tuple(random.sample(each.items, len(each.items)))) for each in categories]
    random.shuffle(found)
    return found


@given(gradebooks(), st.booleans(), st.randoms(use_true_random=False))
def test_order_does_not_matter(categories: list[Category], weighted: bool, random: Random) -> None:
    other = shuffled([replace(each, drop_highest=0) for each in categories], random)
    categories = [replace(each, drop_highest=0) for each in categories]
    for total in (scoring.current, scoring.final):
        assert total(categories, weighted=weighted).exact == total(other, weighted=weighted).exact


@given(gradebooks())
def test_dropping_the_lowest_never_lowers_a_weighted_total(categories: list[Category]) -> None:
    """This does not hold where something is low that may not be dropped, or adds a score without points."""
    categories = [
        replace(
            each,
            drop_highest=0,
            items=tuple(
                replace(item, never_drop=False, extra_credit=False, points=max(item.points, Decimal("0.01")))
                for item in each.items
            ),
        )
        for each in categories
    ]
    kept = [replace(each, drop_lowest=0) for each in categories]
    for total in (scoring.current, scoring.final):
        dropped, whole = total(categories, weighted=True).exact, total(kept, weighted=True).exact
        assert (dropped is None) == (whole is None)
        assert dropped is None or whole is None or dropped >= whole


@given(st.lists(st.tuples(amounts, amounts), max_size=6), st.decimals(min_value="0.01", max_value=200, places=2))
def test_a_perfect_score_never_lowers_a_category_of_scores_up_to_their_points(
    results: list[tuple[Decimal, Decimal]], points: Decimal
) -> None:
    """Above 100 % it would: a perfect score is only 100 %."""
    items = [Item(id=number, points=max(result), score=min(result)) for number, result in enumerate(results)]
    perfect = Item(id=99, points=points, score=points)
    before = scoring.current([Category(id=1, items=tuple(items))], weighted=False).exact
    after = scoring.current([Category(id=1, items=(*items, perfect))], weighted=False).exact
    assert after is not None
    assert before is None or after >= before


@given(gradebooks(), st.booleans())
def test_hidden_grades_count_as_if_posted_in_the_unposted_totals_alone(
    categories: list[Category], weighted: bool
) -> None:
    posted = [replace(each, items=tuple(replace(item, posted=True) for item in each.items)) for each in categories]
    blank = [
        replace(
            each, items=tuple(item if item.posted else replace(item, score=None, posted=True) for item in each.items)
        )
        for each in categories
    ]
    for total in (scoring.current, scoring.final):
        shown = total(categories, weighted=weighted, with_unposted=True).exact
        assert shown == total(posted, weighted=weighted).exact
        assert total(categories, weighted=weighted).exact == total(blank, weighted=weighted).exact


def test_a_hidden_grade_is_left_out_now_and_zero_in_the_end() -> None:
    shown = Item(id=1, points=Decimal(10), score=Decimal(9))
    hidden = Item(id=2, points=Decimal(10), score=Decimal(8), posted=False)
    categories = [Category(id=1, items=(shown, hidden), weight=Decimal(100))]
    assert scoring.current(categories, weighted=True).percent == Decimal("90.00")
    assert scoring.final(categories, weighted=True).percent == Decimal("45.00")
    assert scoring.current(categories, weighted=True, with_unposted=True).percent == Decimal("85.00")
    assert outcomes(scoring.current(categories, weighted=True))[1] is Outcome.HIDDEN
    assert outcomes(scoring.final(categories, weighted=True))[1] is Outcome.HIDDEN_AS_ZERO


@given(amounts, amounts)
def test_a_late_deduction_comes_off_the_score_and_never_below_zero(score: Decimal, deduction: Decimal) -> None:
    item = Item(id=1, points=Decimal(10), score=score, late_deduction=deduction)
    [line] = scoring.current([Category(id=1, items=(item,))], weighted=False).parts[0].lines
    assert line.earned == max(score - deduction, Decimal(0))


def test_a_supposed_score_replaces_what_is_there_and_blanks_too() -> None:
    item = Item(id=1, points=Decimal(10), score=Decimal(2), late_deduction=Decimal(1), posted=False)
    other = Item(id=2, points=Decimal(10), excused=True)
    categories = scoring.supposed([Category(id=1, items=(item, other))], {1: Decimal(9), 2: None})
    assert scoring.current(categories, weighted=False).percent == Decimal("90.00")
    assert scoring.final(categories, weighted=False).percent == Decimal("45.00")


# Reports of other gradebooks' users, with the outcome that is right; docs/grading.md lists them.
TOTALS = {
    "10 of 15": ([("10", "15")], {}, "66.67"),
    "ten times a tenth": ([("0.1", "1")] * 10, {}, "10.00"),
    "89.995 % is rounded up": ([("179.99", "200")], {}, "90.00"),
    "89.99 %": ([("179.98", "200")], {}, "89.99"),
    "93.995 % is rounded up": ([("187.99", "200")], {}, "94.00"),
    "both drops, 1": ([("100", "100"), ("42", "91"), ("14", "55"), ("1", "38")], {"lowest": 2, "highest": 1}, "46.15"),
    "both drops, 2": ([("100", "100"), ("42", "91"), ("14", "55"), ("2", "38")], {"lowest": 2, "highest": 1}, "46.15"),
    "both drops, 3": ([("100", "100"), ("42", "91"), ("14", "55"), ("3", "38")], {"lowest": 2, "highest": 1}, "7.89"),
    "both drops, 4": ([("100", "100"), ("42", "91"), ("14", "55"), ("4", "38")], {"lowest": 2, "highest": 1}, "10.53"),
    "points, not percentages": (
        [
            *(("20", "20"), ("31", "36"), ("54", "54"), ("53", "55"), ("54", "59"), ("77", "79"), ("35.5", "47")),
            *(("34", "34"), ("0", "120"), ("0", "64"), ("69", "75"), ("0", "100")),
        ],
        {"lowest": 2},
        "81.74",
    ),
    "more than all points": ([("53", "50")], {}, "106.00"),
    "one of ten quizzes": ([("4", "10"), *[(None, "10")] * 9], {"lowest": 1}, "40.00"),
}


@pytest.mark.parametrize(("results", "drops", "percent"), TOTALS.values(), ids=TOTALS.keys())
def test_totals_that_others_got_wrong_are_right(
    results: list[tuple[str | None, str]], drops: dict[str, int], percent: str
) -> None:
    category = scored(*results, **{f"drop_{name}": number for name, number in drops.items()})
    assert scoring.current([category], weighted=True).percent == Decimal(percent)


@pytest.mark.parametrize(("score", "letter"), [("179.99", "A-"), ("179.98", "B+"), ("187.99", "A")])
def test_the_letter_goes_by_what_is_shown(score: str, letter: str) -> None:
    assert scoring.current([scored((score, "200"))], weighted=True).letter == letter


def test_nine_blanks_of_ten_quizzes_count_as_zero_in_the_end_and_one_of_them_is_dropped() -> None:
    quizzes = scored(("4", "10"), *[(None, "10")] * 9, drop_lowest=1)
    assert scoring.final([quizzes], weighted=True).percent == Decimal("4.44")
    nothing = scored(*[(None, "10")] * 10, drop_lowest=1)
    assert scoring.final([nothing], weighted=True).percent is None


@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize(("extra", "percent"), [("0", "100.00"), ("5", "105.00")])
@pytest.mark.parametrize("lowest", [0, 1])
def test_extra_credit_never_lowers_a_total(weighted: bool, extra: str, percent: str, lowest: int) -> None:
    items = (
        Item(id=1, points=Decimal(10), score=Decimal(extra), extra_credit=True),
        Item(id=2, points=Decimal(100), score=Decimal(100)),
    )
    category = Category(id=1, items=items, weight=Decimal(100), drop_lowest=lowest)
    total = scoring.current([category], weighted=weighted).percent
    # Dropping the lowest of two leaves the exam, whose points are needed.
    assert total == (Decimal("100.00") if lowest else Decimal(percent))


@given(any_items, amounts, st.integers(0, 4), st.booleans())
def test_extra_credit_never_lowers_a_category_that_drops_only_its_lowest(
    items: list[Item], score: Decimal, lowest: int, never_drop: bool
) -> None:
    others = tuple(
        replace(item, id=index, extra_credit=False, points=max(item.points, Decimal("0.01")))
        for index, item in enumerate(items)
    )
    extra = Item(id=99, points=Decimal(10), score=score, extra_credit=True, never_drop=never_drop)
    for total in (scoring.current, scoring.final):
        without = total([Category(id=1, items=others, drop_lowest=lowest)], weighted=False).exact
        with_it = total([Category(id=1, items=(*others, extra), drop_lowest=lowest)], weighted=False).exact
        assert without is None or (with_it is not None and with_it >= without)


def test_extra_credit_alone_is_no_percentage() -> None:
    item = Item(id=1, points=Decimal(10), score=Decimal(5), extra_credit=True)
    assert scoring.current([Category(id=1, items=(item,), weight=Decimal(100))], weighted=True).percent is None
