import math
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from registry.health import mass_failure
from registry.health.mass_failure import CUT_OFF, Limits, State

LIMITS = Limits()
# Seconds until it happens, how many are about to fall, and whether the canary is silent.
steps = st.lists(st.tuples(st.floats(0, 90), st.integers(0, 300), st.booleans()), max_size=60)
fleets = st.integers(1, 2000)


def after(state: State, count: int, is_silent: bool, *, fleet: int, now: float) -> State:
    state = mass_failure.see_time(state, limits=LIMITS, now=now)
    state = mass_failure.see_canary(state, is_silent=is_silent, now=now)
    return mass_failure.see_falls(state, count, fleet=fleet, limits=LIMITS, now=now)


@given(st.lists(st.tuples(st.floats(0, 30), st.integers(1, 50)), max_size=80), fleets)
def test_however_falls_are_spread_no_more_than_the_cap_and_its_refill_happen(
    falls: list[tuple[float, int]], fleet: int
) -> None:
    state, now, fallen = State(), 1000.0, 0
    for elapsed, count in falls:
        now += elapsed
        state = after(state, count, False, fleet=fleet, now=now)
        if state.is_active:
            break
        fallen += count

    assert fallen <= LIMITS.cap(fleet) * (1 + (now - 1000.0) / LIMITS.window) + 1e-6


@given(fleets)
def test_exactly_the_cap_may_fall_at_once_and_not_one_more(fleet: int) -> None:
    cap = math.floor(LIMITS.cap(fleet))

    assert not mass_failure.see_falls(State(), cap, fleet=fleet, limits=LIMITS, now=1000.0).is_active
    assert mass_failure.see_falls(State(), cap + 1, fleet=fleet, limits=LIMITS, now=1000.0).is_active


@given(steps, fleets)
def test_whatever_has_happened_protection_ends_when_nothing_more_does(
    steps: list[tuple[float, int, bool]], fleet: int
) -> None:
    state, now = State(), 1000.0
    for elapsed, count, is_silent in steps:
        now += elapsed
        state = after(state, count, is_silent, fleet=fleet, now=now)

    assert not mass_failure.see_time(state, limits=LIMITS, now=now + LIMITS.quiet + 0.001).is_active


@given(steps, fleets)
def test_protection_never_lasts_longer_than_the_longest_time_and_then_stays_off_for_a_while(
    steps: list[tuple[float, int, bool]], fleet: int
) -> None:
    state, now = State(), 1000.0
    for elapsed, count, is_silent in steps:
        now += elapsed
        state = after(state, count, is_silent, fleet=fleet, now=now)
    if state.since is not None:
        latest = state.since + LIMITS.longest + 0.001
        ended = mass_failure.see_time(replace(state, stirred_at=latest), limits=LIMITS, now=latest)
        later = latest + LIMITS.mute - 1
        assert not ended.is_active
        assert not after(ended, 2000, True, fleet=fleet, now=later).is_active


def test_a_few_of_a_small_fleet_may_fall_and_half_of_a_large_one_may_not() -> None:
    few = mass_failure.see_falls(State(), 4, fleet=4, limits=LIMITS, now=1000.0)
    half = mass_failure.see_falls(State(), 50, fleet=100, limits=LIMITS, now=1000.0)

    assert not few.is_active
    assert half.is_active
    assert half.reason == "more than 25 of 100 instances failed within 60 s"


def test_a_silent_canary_is_reason_enough_and_an_operator_ends_it() -> None:
    state = mass_failure.see_canary(State(), is_silent=True, now=1000.0)
    assert state.reason == CUT_OFF

    ended = mass_failure.end(state, limits=LIMITS, now=1001.0)

    assert not ended.is_active
    assert not mass_failure.see_canary(ended, is_silent=True, now=1002.0).is_active


@given(st.integers(0, 500), st.integers(0, 500))
def test_a_service_that_is_left_with_nothing_is_below_its_floor_and_one_with_half_is_not(
    offered: int, fallen: int
) -> None:
    below = mass_failure.is_below_floor(offered=offered, fallen=fallen)

    assert below == (fallen > offered)
