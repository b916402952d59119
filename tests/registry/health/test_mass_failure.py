from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from registry.health import mass_failure
from registry.health.mass_failure import CUT_OFF, Limits, Member, State

LIMITS = Limits()
OURS, THEIRS = "ours", "theirs"
members = st.builds(
    Member,
    token=st.sampled_from(["a", "b", "c", "d"]),
    service=st.sampled_from(["billing", "mail", "cron"]),
    host=st.sampled_from(["10.0.0.1", "10.0.0.2", "10.0.0.3"]),
)
fleets = st.lists(members, max_size=60)
# Seconds until it happens, what has fallen within the window by then, and whether the canary is silent.
steps = st.lists(st.tuples(st.floats(0, 90), st.integers(0, 60), st.booleans()), max_size=40)


def fleet_of(count: int, *, token: str = OURS) -> list[Member]:
    """One of a kind each, but for the token."""
    return [Member(token=token, service=f"{token}-{number}", host=f"{token}-{number}") for number in range(count)]


def after(state: State, fallen: list[Member], fleet: list[Member], is_silent: bool, *, now: float) -> State:
    state = mass_failure.see_time(state, limits=LIMITS, now=now)
    state = mass_failure.see_canary(state, is_silent=is_silent, now=now)
    return mass_failure.see_falls(state, fallen, fleet, limits=LIMITS, now=now)


def lived_through(steps: list[tuple[float, int, bool]], fleet: list[Member]) -> tuple[State, float]:
    """The state, and the time by then. Steps: seconds before it, how many fall, and whether the canary is silent."""
    state, now = State(), 1000.0
    for elapsed, count, is_silent in steps:
        now += elapsed
        state = after(state, fleet[:count], fleet, is_silent, now=now)
    return state, now


@given(fleets, fleets, st.sampled_from(Member._fields))
def test_no_token_service_or_host_decides_it_alone(standing: list[Member], fallen: list[Member], kind: str) -> None:
    """A mass failure remains one without any one party."""
    fleet = [*standing, *fallen]
    if not mass_failure.is_mass(fallen, fleet, limits=LIMITS):
        return
    parties = {getattr(member, kind) for member in fleet}
    for party in parties if len(parties) > 1 else ():
        others = [member for member in fallen if getattr(member, kind) != party]
        rest = [member for member in fleet if getattr(member, kind) != party]
        assert len(others) > LIMITS.least
        tokens = {member.token for member in rest}
        # Where one token has more than the others, it counts for no more than the largest of them.
        assert len(others) > LIMITS.share * len(rest) or len(tokens) > 1


@given(st.integers(0, 40), st.integers(1, 3000), st.integers(0, 3000))
def test_one_token_can_neither_begin_it_nor_more_than_double_the_share(
    fallen_count: int, strangers: int, failing: int
) -> None:
    ours, theirs = fleet_of(40), fleet_of(strangers, token=THEIRS)
    fallen = [*ours[:fallen_count], *theirs[:failing]]
    is_mass = mass_failure.is_mass(fallen, [*ours, *theirs], limits=LIMITS)

    if fallen_count <= LIMITS.cap(len(ours)):
        assert not is_mass, "begun by a stranger"


@given(st.integers(1, 3000))
def test_a_token_that_only_passes_hides_no_outage_of_several_others(strangers: int) -> None:
    others = [Member(token=f"t{number % 4}", service=f"s{number}", host=f"h{number}") for number in range(40)]

    assert mass_failure.is_mass(others, [*others, *fleet_of(strangers, token=THEIRS)], limits=LIMITS)


@given(st.integers(1, 2000))
def test_exactly_the_cap_may_fall_at_once_and_not_one_more(size: int) -> None:
    fleet = fleet_of(size)
    cap = int(LIMITS.cap(size))

    assert not mass_failure.is_mass(fleet[:cap], fleet, limits=LIMITS)
    # One more is one party's unless they are several: leave one out, and the share must be exceeded still.
    assert mass_failure.is_mass(fleet[: cap + 2], fleet, limits=LIMITS) == (size > cap + 1)


@given(steps, st.integers(1, 60))
def test_whatever_has_happened_protection_ends_when_nothing_more_does(
    steps: list[tuple[float, int, bool]], size: int
) -> None:
    state, now = lived_through(steps, fleet_of(size))

    assert not mass_failure.see_time(state, limits=LIMITS, now=now + LIMITS.quiet + 0.001).is_active


@given(steps, st.integers(1, 60))
def test_protection_never_lasts_longer_than_the_longest_time_and_then_stays_off_for_a_while(
    steps: list[tuple[float, int, bool]], size: int
) -> None:
    fleet = fleet_of(size)
    state, _ = lived_through(steps, fleet)
    if state.since is not None:
        latest = state.since + LIMITS.longest + 0.001
        ended = mass_failure.see_time(replace(state, stirred_at=latest), limits=LIMITS, now=latest)
        later = latest + LIMITS.mute - 1
        assert not ended.is_active
        assert not after(ended, fleet, fleet, True, now=later).is_active


def test_one_token_that_flaps_does_not_prolong_it() -> None:
    fleet = [*fleet_of(20), *fleet_of(20, token=THEIRS)]
    state = mass_failure.see_falls(State(), fleet, fleet, limits=LIMITS, now=1000.0)
    assert state.is_active

    alone = mass_failure.see_falls(state, fleet[20:], fleet, limits=LIMITS, now=1050.0)
    both = mass_failure.see_falls(state, fleet[19:21], fleet, limits=LIMITS, now=1050.0)

    assert not mass_failure.see_time(alone, limits=LIMITS, now=1061.0).is_active
    assert mass_failure.see_time(both, limits=LIMITS, now=1061.0).is_active


def test_a_few_of_a_small_fleet_may_fall_and_half_of_a_large_one_may_not() -> None:
    few, many = fleet_of(4), fleet_of(100)

    assert not mass_failure.see_falls(State(), few, few, limits=LIMITS, now=1000.0).is_active
    half = mass_failure.see_falls(State(), many[:50], many, limits=LIMITS, now=1000.0)
    assert half.reason == "50 of 100 instances failed within 60 s"


def test_a_silent_canary_is_reason_enough_and_an_operator_ends_it() -> None:
    state = mass_failure.see_canary(State(), is_silent=True, now=1000.0)
    assert state.reason == CUT_OFF

    ended = mass_failure.end(limits=LIMITS, now=1001.0)

    assert not ended.is_active
    assert not mass_failure.see_canary(ended, is_silent=True, now=1002.0).is_active


@given(st.floats(0, 1e6), st.floats(0, 1e6))
def test_no_stored_time_is_trusted_further_than_it_can_lie_ahead(stored: float, now: float) -> None:
    state = mass_failure.within(State(since=stored, stirred_at=stored, muted_until=stored), limits=LIMITS, now=now)

    assert state.since is not None
    assert max(state.since, state.stirred_at) <= now
    assert state.muted_until <= now + LIMITS.mute


@given(st.integers(0, 500), st.integers(0, 500))
def test_a_service_that_is_left_with_nothing_is_below_its_floor_and_one_with_half_is_not(
    offered: int, fallen: int
) -> None:
    below = mass_failure.is_below_floor(offered=offered, fallen=fallen)

    assert below == (fallen > offered)
