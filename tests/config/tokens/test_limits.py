from contextlib import suppress

import pytest
from pytest_django import Settings

from config.problems import TooManyRequests
from config.tokens.holder import Holder
from config.tokens.limits import BURST_SECONDS, Limits
from tests.clock import Clock

TESTER = Holder(name="tester", scopes=frozenset())
OTHER = Holder(name="other", scopes=frozenset())


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def limits(settings: Settings, clock: Clock) -> Limits:
    settings.TOKEN_LIMITS = {"requests_per_second": 10, "streams": 2, "instances": 5, "records_per_second": 0}
    return Limits(clock)


def test_a_rate_is_refused_beyond_its_burst_with_the_time_to_wait(limits: Limits, clock: Clock) -> None:
    for _ in range(int(10 * BURST_SECONDS)):
        limits.spend(TESTER, "requests_per_second")
    with pytest.raises(TooManyRequests) as caught:
        limits.spend(TESTER, "requests_per_second")
    assert caught.value.status == 429
    assert caught.value.headers["Retry-After"] == "1"
    assert caught.value.body()["allowed"] == 10
    clock.now += 1
    limits.spend(TESTER, "requests_per_second", 10)


def test_one_token_takes_nothing_from_another(limits: Limits) -> None:
    limits.spend(TESTER, "requests_per_second", 1000)
    limits.spend(OTHER, "requests_per_second")


def test_no_limit_is_none(limits: Limits) -> None:
    limits.spend(TESTER, "records_per_second", 10**9)
    limits.spend(TESTER, "unheard_of", 10**9)


def test_a_token_may_have_limits_of_its_own(limits: Limits) -> None:
    slow = Holder(name="slow", scopes=frozenset(), limits={"requests_per_second": 1})
    limits.spend(slow, "requests_per_second", 2)
    with pytest.raises(TooManyRequests):
        limits.spend(slow, "requests_per_second")


def test_what_is_held_is_limited_at_one_time(limits: Limits) -> None:
    with limits.hold(TESTER, "streams"):
        with limits.hold(TESTER, "streams"), pytest.raises(TooManyRequests), limits.hold(TESTER, "streams"):
            raise AssertionError("a third was held")
        with limits.hold(TESTER, "streams"):
            pass


def test_what_the_caller_has_counted_is_compared(limits: Limits) -> None:
    limits.check(TESTER, "instances", 5)
    with pytest.raises(TooManyRequests, match="5 instances"):
        limits.check(TESTER, "instances", 6)


def test_refusals_are_counted(limits: Limits) -> None:
    for count in (5, 6, 7):
        with suppress(TooManyRequests):
            limits.check(TESTER, "instances", count)
    assert limits.refused() == {("tester", "instances"): 2}
