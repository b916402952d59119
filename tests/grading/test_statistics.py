"""The distribution of scores."""

import statistics as reference
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from grading import statistics

hundredths = st.integers(min_value=0, max_value=20_000)


@given(st.lists(hundredths, min_size=1, max_size=20))
def test_every_figure_is_that_of_the_standard_library_rounded_once(scores: list[int]) -> None:
    found = statistics.summarize(scores, points=10_000)
    exact = [Fraction(score, 100) for score in scores]
    quartiles = reference.quantiles(exact, n=4, method="inclusive") if len(exact) > 1 else exact * 3
    expected = [reference.mean(exact), *quartiles, min(exact), max(exact)]
    shown = [
        found.mean,
        found.lower_quartile,
        found.median,
        found.upper_quartile,
        found.least,
        found.greatest,
    ]
    for value, figure in zip(expected, shown, strict=True):
        assert figure is not None
        assert -Fraction(1, 200) < Fraction(figure) - Fraction(value) <= Fraction(1, 200)
    assert found.deviation is not None
    variance = reference.pvariance(exact)
    # The rounded root's neighbours by half a cent lie on both sides of it.
    assert (Fraction(found.deviation) + Fraction(1, 200)) ** 2 > variance
    assert found.deviation == 0 or (Fraction(found.deviation) - Fraction(1, 200)) ** 2 <= variance


@given(st.lists(hundredths, max_size=20), st.integers(min_value=1, max_value=10_000))
def test_the_histogram_counts_every_score_once(scores: list[int], points: int) -> None:
    found = statistics.summarize(scores, points=points)
    assert len(found.histogram) == 11
    assert sum(found.histogram) == found.count == len(scores)
    assert found.histogram[10] == sum(score > points for score in scores)


def test_without_scores_there_are_no_figures() -> None:
    found = statistics.summarize([], points=1000)
    assert (found.count, found.mean, found.median, found.deviation, sum(found.histogram)) == (0, None, None, None, 0)


def test_an_assignment_without_points_has_no_histogram() -> None:
    assert statistics.summarize([500], points=0).histogram == ()
