import itertools

from hypothesis import given
from hypothesis import strategies as st

from registry.health import verdict
from registry.health.probe import Finding, Health, Thresholds
from registry.health.verdict import judge
from registry.models import Status

thresholds = st.builds(
    Thresholds,
    failures_before_critical=st.integers(1, 6),
    successes_before_passing=st.integers(1, 6),
)
findings = st.sampled_from([Finding.SUCCESS, Finding.WARNING, Finding.FAILURE])
GOOD = (Status.PASSING, Status.WARNING)


def judged(health: Health, finding: Finding, *, now: float = 0.0, at: Thresholds | None = None) -> Health:
    at = at or Thresholds(failures_before_critical=1, successes_before_passing=1)
    return judge(health, finding, thresholds=at, now=now)


@given(thresholds, st.lists(findings, max_size=40))
def test_a_verdict_changes_exactly_when_a_run_of_equal_results_reaches_its_threshold(
    thresholds: Thresholds, results: list[Finding]
) -> None:
    health = Health(verdict=Status.STARTING)
    expected, run, last_failed = str(Status.STARTING), 0, None
    for finding in results:
        failed = finding is Finding.FAILURE
        run = run + 1 if failed == last_failed else 1
        last_failed = failed
        if failed and run >= thresholds.failures_before_critical:
            expected = Status.CRITICAL
        if not failed and (run >= thresholds.successes_before_passing or expected in GOOD):
            expected = Status.WARNING if finding is Finding.WARNING else Status.PASSING
        health = judged(health, finding, at=thresholds)
        assert health.verdict == expected
        assert (health.successes, health.failures) == ((0, run) if failed else (run, 0))


@given(st.lists(st.tuples(findings, st.floats(0, 100)), max_size=60))
def test_damping_always_ends_after_three_half_lives_of_steadiness(steps: list[tuple[Finding, float]]) -> None:
    health, now = Health(verdict=Status.STARTING), 0.0
    for finding, elapsed in steps:
        now += elapsed
        health = judged(health, finding, now=now)
    health = judged(health, Finding.SUCCESS, now=now)
    steady = judged(health, Finding.SUCCESS, now=now + 3 * verdict.HALF_LIFE_SECONDS + 1)

    assert not steady.is_damped
    assert steady.status == Status.PASSING


def test_an_instance_that_flaps_is_held_critical_and_one_that_fails_once_is_not() -> None:
    once = judged(judged(judged(Health(verdict=Status.PASSING), Finding.FAILURE), Finding.SUCCESS), Finding.SUCCESS)
    assert once.status == Status.PASSING

    health = Health(verdict=Status.PASSING)
    for now, finding in zip(range(5), itertools.cycle([Finding.FAILURE, Finding.SUCCESS]), strict=False):
        health = judged(health, finding, now=float(now))
    health = judged(health, Finding.SUCCESS, now=6.0)

    assert (health.verdict, health.status, health.is_damped) == (Status.PASSING, Status.CRITICAL, True)


@given(st.integers(1, 50))
def test_changes_slower_than_the_half_life_are_never_damped(flips: int) -> None:
    health = Health(verdict=Status.PASSING)
    for number in range(flips):
        finding = Finding.SUCCESS if number % 2 else Finding.FAILURE
        health = judged(health, finding, now=number * verdict.HALF_LIFE_SECONDS)

    assert not health.is_damped


def test_a_clock_that_goes_back_changes_no_verdict() -> None:
    health = judged(Health(verdict=Status.PASSING, penalty=4.0, penalty_at=100.0), Finding.SUCCESS, now=50.0)

    assert (health.status, health.penalty) == (Status.PASSING, 4.0)


@given(st.sampled_from(Status), st.integers(0, 9))
def test_a_probe_that_failed_through_our_own_fault_changes_nothing(status: Status, failures: int) -> None:
    health = Health(verdict=status, failures=failures)

    assert judged(health, Finding.INCONCLUSIVE) is health


@given(thresholds, st.sampled_from(Status))
def test_what_is_found_dead_is_critical_at_once_whatever_its_threshold(thresholds: Thresholds, status: Status) -> None:
    assert judged(Health(verdict=status), Finding.DEAD, at=thresholds).status == Status.CRITICAL
