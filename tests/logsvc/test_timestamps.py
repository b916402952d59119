import contextlib
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logsvc import timestamps
from tests.logsvc.strategies import steady

NOON = datetime(2026, 11, 23, 12, 0, 0, 250_000, tzinfo=UTC)


@pytest.mark.parametrize(
    "given",
    [
        "2026-11-23T12:00:00.25Z",
        "2026-11-23T13:00:00.250+01:00",
        "2026-11-23 12:00:00.250000",
        1795435200.25,
        "1795435200.25",
        1795435200250,
        1795435200250000,
        1795435200250000000,
        "1795435200250000000",
    ],
)
def test_a_moment_may_be_written_in_many_ways(given: str | float) -> None:
    assert timestamps.moment(given) == NOON


@pytest.mark.parametrize(
    "given",
    ["", "yesterday", "9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+12:00", 1e308, -(10**30), "1" * 30, "nan"],
)
def test_what_is_no_time_is_refused(given: str | float) -> None:
    with pytest.raises(ValueError, match="is not a time: use RFC 3339"):
        timestamps.moment(given)


@steady
@given(st.datetimes(timezones=st.just(UTC)))
def test_what_is_shown_is_read_as_the_same_moment(moment: datetime) -> None:
    assert timestamps.moment(timestamps.wire(moment)) == moment


@steady
@given(st.datetimes(min_value=datetime(1990, 1, 1), max_value=datetime(2200, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001 -- bounds are naive
def test_nanoseconds_are_exact_to_the_microsecond(moment: datetime) -> None:
    microseconds = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)

    assert timestamps.moment(microseconds * 1000 + 999) == moment


@steady
@given(st.text() | st.integers() | st.floats())
def test_any_value_is_a_time_or_refused(value: str | float) -> None:
    with contextlib.suppress(ValueError):
        assert timestamps.moment(value).tzinfo is UTC
