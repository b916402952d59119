import contextlib
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logsvc import timestamps
from tests.logsvc.strategies import steady

NOON = 1_795_435_200_250_000_000


@pytest.mark.parametrize(
    "given",
    [
        "2026-11-23T12:00:00.25Z",
        "2026-11-23t12:00:00,25z",
        "2026-11-23T13:00:00.250+01:00",
        "2026-11-23T17:30:00.250+0530",
        "2026-11-23T12:00:00.25-00:00",
        "2026-11-23 12:00:00.250000",
        1795435200.25,
        "1795435200.25",
        1795435200250,
        "1795435200250",
        1795435200250000,
        1795435200250000000,
        "1795435200250000000",
    ],
)
def test_a_moment_may_be_written_in_many_ways(given: str | float) -> None:
    assert timestamps.nanoseconds(given) == NOON


def test_nanoseconds_are_kept_and_what_is_finer_is_cut() -> None:
    assert timestamps.nanoseconds("2026-11-23T12:00:00.2500000019Z") == NOON + 1
    assert timestamps.wire(NOON + 1) == "2026-11-23T12:00:00.250000001Z"
    assert timestamps.wire(NOON) == "2026-11-23T12:00:00.250000Z"


def test_a_leap_second_is_the_next_minutes_first() -> None:
    assert timestamps.nanoseconds("2016-12-31T23:59:60Z") == timestamps.nanoseconds("2017-01-01T00:00:00Z")


@pytest.mark.parametrize(
    "given", ["", "yesterday", "2026-02-30T00:00:00Z", "2026-11-23T12:00:61Z", "2026-11-23T12:00:00+25:00", "nan"]
)
def test_what_is_no_time_is_refused(given: str | float) -> None:
    with pytest.raises(ValueError, match="is not a time: use RFC 3339"):
        timestamps.nanoseconds(given)


@pytest.mark.parametrize("given", ["9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z", 1e308, -(10**30), "1" * 30])
def test_a_time_that_nanoseconds_do_not_reach_is_out_of_range(given: str | float) -> None:
    with pytest.raises(timestamps.OutOfRange):
        timestamps.nanoseconds(given)


@steady
@given(st.integers(-(2**63), 2**63 - 1))
def test_what_is_shown_is_read_as_the_same_moment(time_ns: int) -> None:
    assert timestamps.nanoseconds(timestamps.wire(time_ns)) == time_ns


@steady
@given(st.datetimes(datetime(1700, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001 -- bounds are naive
def test_iso_formats_are_exact(moment: datetime) -> None:
    assert timestamps.nanoseconds(moment.isoformat()) == timestamps.from_datetime(moment)


@steady
@given(st.text() | st.integers() | st.floats())
def test_any_value_is_a_time_or_refused(value: str | float) -> None:
    with contextlib.suppress(ValueError):
        assert -(2**63) <= timestamps.nanoseconds(value) < 2**63
