"""Amounts, times and totals on the wire."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grading import representation


@pytest.mark.parametrize(
    ("value", "text"), [("9.50", "9.5"), ("1E+2", "100"), ("0.00", "0"), ("0.05", "0.05"), ("-0", "0")]
)
def test_an_amount_is_written_plainly_without_trailing_zeros(value: str, text: str) -> None:
    assert representation.amount(Decimal(value)) == text


@given(st.decimals(min_value=0, max_value="9999999.99", places=2))
def test_an_amount_says_exactly_what_it_is(value: Decimal) -> None:
    assert Decimal(representation.amount(value)) == value


def test_a_time_is_in_utc_and_ends_in_z() -> None:
    noon = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
    assert representation.time(noon) == "2026-11-23T12:00:00Z"
    assert representation.time(noon.astimezone(timezone(timedelta(hours=2)))) == "2026-11-23T12:00:00Z"
