from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config import retry_after

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120),
        ("0", 0),
        ("Mon, 23 Nov 2026 12:02:00 GMT", 120),
        ("Mon, 23 Nov 2026 11:58:00 GMT", 0),
        ("9" * 400, 3600),
        ("Mon, 23 Nov 2099 12:00:00 GMT", 3600),
        ("Mon, 23 Nov 2026 12:02:00 -0000", None),
        ("Mon, 99 Nov 2026 12:02:00 GMT", None),
        ("Mon, 23 Nov 99999999999 12:02:00 GMT", None),
        ("Mon, 23 Nov 2026 99999999999999999999:02:00 GMT", None),
        ("Mon, 23 Nov 2026 12:02:00 +999999999999999999", None),
        ("soon", None),
        ("1_0", None),
        ("-5", None),
        ("\u0661", None),
        ("", None),
    ],
)
def test_both_forms_are_read_and_nothing_else(value: str, seconds: float | None) -> None:
    assert retry_after.seconds(value, now=NOW) == seconds


@given(st.sampled_from(["23", "2026", "12", "02", "00", "0100"]), st.integers(min_value=0))
def test_whatever_numbers_a_date_holds_the_wait_is_an_hour_at_most(part: str, number: int) -> None:
    value = "Mon, 23 Nov 2026 12:02:00 +0100".replace(part, str(number), 1)
    assert 0 <= (retry_after.seconds(value, now=NOW) or 0) <= retry_after.LONGEST_SECONDS
