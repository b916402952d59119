from hypothesis import given
from hypothesis import strategies as st

from config.rates import Rates

AMOUNTS = st.lists(st.tuples(st.floats(0, 3), st.integers(1, 30)), max_size=40)


@given(AMOUNTS)
def test_no_more_is_given_than_the_burst_and_what_the_time_brings(wanted: list[tuple[float, int]]) -> None:
    rates, now, given_out = Rates(), 0.0, 0
    for pause, amount in wanted:
        now += pause
        if not rates.take("key", amount, per_second=5, burst=10, now=now):
            given_out += amount
    # The last one may go into debt for what is above the burst.
    assert given_out <= 10 + 5 * now + 30


@given(AMOUNTS)
def test_who_waits_as_long_as_told_is_given_it(wanted: list[tuple[float, int]]) -> None:
    rates, now = Rates(), 0.0
    for pause, amount in wanted:
        now += pause
        wait = rates.take("key", amount, per_second=5, burst=10, now=now)
        if wait:
            now += wait + 1e-6
            assert not rates.take("key", amount, per_second=5, burst=10, now=now)


def test_keys_do_not_share() -> None:
    rates = Rates()
    assert not rates.take("one", 10, per_second=1, burst=10, now=0)
    assert rates.take("one", per_second=1, burst=10, now=0)
    assert not rates.take("other", per_second=1, burst=10, now=0)


def test_what_is_given_back_can_be_taken_again() -> None:
    rates = Rates()
    rates.take("key", per_second=1, burst=1, now=0)
    rates.give_back("key")
    assert not rates.take("key", per_second=1, burst=1, now=0)


def test_the_number_of_keys_is_bounded() -> None:
    rates = Rates(most_keys=2)
    for key in ("first", "second", "third"):
        rates.take(key, per_second=1, burst=1, now=0)
    assert rates.take("third", per_second=1, burst=1, now=0)
    assert not rates.take("first", per_second=1, burst=1, now=0)


def test_a_clock_that_goes_back_gives_nothing() -> None:
    rates = Rates()
    rates.take("key", per_second=1, burst=1, now=100)
    assert rates.take("key", per_second=1, burst=1, now=0)
