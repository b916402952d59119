"""The plan of a round: the same for the same seed, within its bounds, and of everything that can be done."""

from itertools import combinations, pairwise

from hypothesis import given
from hypothesis import strategies as st

from tests.faults import schedule
from tests.faults.schedule import AT_ONCE, RECEIVERS, Fault, Kind, Possible

POSSIBLE = Possible(processes=("one", "two"), connections=("redis",), kinds=frozenset(Kind) - {Kind.RESTART_DATABASE})
seeds = st.integers(0, 2**32)


@given(seed=seeds, number=st.integers(1, 100))
def test_the_same_seed_plans_the_same_round(seed: int, number: int) -> None:
    assert schedule.plan(POSSIBLE, seed=seed, number=number) == schedule.plan(POSSIBLE, seed=seed, number=number)


@given(seed=seeds, seconds=st.floats(5, 60))
def test_faults_are_possible_and_end_within_the_round(seed: int, seconds: float) -> None:
    faults = schedule.plan(POSSIBLE, seed=seed, number=1, seconds=seconds)
    assert faults
    assert faults == sorted(faults)
    for fault in faults:
        assert fault.target in POSSIBLE.targets(fault.kind)
        assert 0 <= fault.at <= fault.at + fault.seconds <= seconds + 1e-9
        assert (fault.seconds == 0) == (fault.kind in AT_ONCE)


@given(seed=seeds)
def test_no_two_faults_undo_each_other(seed: int) -> None:
    faults = schedule.plan(POSSIBLE, seed=seed, number=1)
    for one, other in combinations(faults, 2):
        if (one.kind, one.target) == (other.kind, other.target) or {one.kind, other.kind} <= set(RECEIVERS):
            assert _end(one) < other.at
        if one.kind in schedule.CLOCK and other.kind in schedule.CLOCK:
            assert _end(one) < other.at


def test_everything_possible_is_done_and_overlaps_in_time() -> None:
    rounds = [schedule.plan(POSSIBLE, seed=1, number=number) for number in range(200)]
    assert {fault.kind for faults in rounds for fault in faults} == set(Kind) - {Kind.RESTART_DATABASE}
    assert sum(any(other.at < _end(one) for one, other in pairwise(it)) for it in rounds) > 100


def _end(fault: Fault) -> float:
    return fault.at + fault.seconds
