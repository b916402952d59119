"""The limits of what callers hand in."""

from contextlib import nullcontext
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grading.drafts import AMOUNT_LIMIT, CategoryDraft, CourseDraft, GradeDraft, MemberError
from grading.models import Kind


@given(st.decimals(allow_nan=True, allow_infinity=True))
def test_a_score_is_taken_exactly_when_nothing_of_it_would_be_lost(score: Decimal) -> None:
    fits = score.is_finite() and 0 <= score <= AMOUNT_LIMIT and (score * 100) % 1 == 0
    with nullcontext() if fits else pytest.raises(MemberError, match="`score`"):
        GradeDraft(score=score)


@pytest.mark.parametrize("score", ["-0.01", "10000000", "1e999999", "1e-999999", "9.999", "-inf", "sNaN"])
def test_a_score_outside_the_limits_is_refused(score: str) -> None:
    with pytest.raises(MemberError):
        GradeDraft(score=Decimal(score))


def test_two_categories_of_one_title_are_refused() -> None:
    twice = (CategoryDraft(title="Tests", kind=Kind.TEST), CategoryDraft(title="Tests", kind=Kind.QUIZ))
    with pytest.raises(MemberError, match="same title"):
        CourseDraft(code="algebra", title="Algebra", categories=twice)
