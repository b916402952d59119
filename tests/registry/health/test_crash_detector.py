import itertools

from hypothesis import given
from hypothesis import strategies as st

from registry.health.crash_detector import CONCLUSIVE_SECONDS, LONGEST_QUIET_SECONDS, CrashDetector
from registry.outbound.client import Origin

ORIGIN = Origin("http", "10.0.0.7", 9000)


def watched(*instance_ids: int, now: float = 0.0) -> CrashDetector:
    detector = CrashDetector()
    for each in instance_ids or (1,):
        detector.see_pass(ORIGIN, each, was_reused=False, now=now)
    return detector


def test_a_close_of_what_was_found_passing_is_an_alarm_and_a_refusal_right_after_it_conclusive() -> None:
    detector = watched(1)

    assert not detector.see_refusal(ORIGIN, now=3.0)
    assert detector.see_close(ORIGIN, 3.0, now=3.0) == 1
    assert detector.see_refusal(ORIGIN, now=3.0 + CONCLUSIVE_SECONDS)
    assert not detector.see_refusal(ORIGIN, now=3.1 + CONCLUSIVE_SECONDS)


def test_what_passes_again_has_not_died() -> None:
    detector = watched(1)
    detector.see_close(ORIGIN, 3.0, now=3.0)
    detector.see_pass(ORIGIN, 1, was_reused=False, now=3.1)

    assert not detector.see_refusal(ORIGIN, now=3.2)


def test_one_of_many_instances_of_an_origin_is_sent_ahead_and_its_fellows_follow() -> None:
    detector = watched(*range(100))

    scouts = [detector.see_close(ORIGIN, 3.0, now=3.0) for _ in range(100)]

    assert [each for each in scouts if each is not None] == [99]
    assert sorted(detector.take_fellows(ORIGIN)) == list(range(99))
    assert detector.take_fellows(ORIGIN) == []


def test_a_close_of_a_connection_that_nobody_was_found_passing_through_is_nothing() -> None:
    assert CrashDetector().see_close(ORIGIN, 3.0, now=3.0) is None
    assert not CrashDetector().see_refusal(ORIGIN, now=3.0)
    assert CrashDetector().take_fellows(ORIGIN) == []


def close_when_tired(detector: CrashDetector, *, tires_after: float, interval: float, rounds: int) -> int:
    """A living server that closes what is idle for so long: how many alarms it causes, probed at each interval."""
    alarms, now = 0, 0.0
    for _ in range(rounds):
        detector.see_pass(ORIGIN, 1, was_reused=False, now=now)
        closed = now
        while (closed := closed + tires_after) < now + interval:
            if detector.see_close(ORIGIN, tires_after, now=closed) is None:
                break
            alarms += 1
            detector.see_pass(ORIGIN, 1, was_reused=False, now=closed)
        now += interval
    return alarms


@given(st.floats(0.01, 9.9), st.integers(1, 100))
def test_a_server_that_is_tired_of_idle_connections_is_probed_again_twice_and_then_known_for_it(
    tires_after: float, rounds: int
) -> None:
    assert close_when_tired(watched(), tires_after=tires_after, interval=10.0, rounds=rounds) <= 3


def test_a_tired_server_that_dies_before_it_can_be_tired_is_still_noticed() -> None:
    detector = watched()
    close_when_tired(detector, tires_after=5.0, interval=10.0, rounds=4)
    detector.see_pass(ORIGIN, 1, was_reused=False, now=40.0)

    assert detector.see_close(ORIGIN, 2.0, now=42.0) == 1


def test_what_was_learned_is_forgotten_when_a_connection_outlives_it() -> None:
    detector = watched()
    close_when_tired(detector, tires_after=5.0, interval=10.0, rounds=4)
    detector.see_pass(ORIGIN, 1, was_reused=False, now=400.0)
    detector.see_pass(ORIGIN, 1, was_reused=True, now=410.0)

    assert detector.see_close(ORIGIN, 7.0, now=417.0) == 1


@given(st.lists(st.floats(0.001, 60.0), max_size=200))
def test_however_a_living_server_closes_it_is_not_probed_in_a_storm(closes: list[float]) -> None:
    detector, now, alarms = watched(), 0.0, []
    for idle_seconds in closes:
        now += idle_seconds
        if detector.see_close(ORIGIN, idle_seconds, now=now) is not None:
            alarms.append(now)
        detector.see_pass(ORIGIN, 1, was_reused=False, now=now)

    gaps = [later - earlier for earlier, later in itertools.pairwise(alarms)]
    assert all(gap >= min(2.0 ** (number + 1), LONGEST_QUIET_SECONDS) - 1e-6 for number, gap in enumerate(gaps))


@given(st.lists(st.tuples(st.floats(0.1, 60.0), st.floats(0.001, 300.0)), min_size=1, max_size=30))
def test_a_service_in_a_crash_loop_is_never_taken_for_a_false_alarm(lives: list[tuple[float, float]]) -> None:
    detector, now = watched(), 0.0
    for life_seconds, down_seconds in lives:
        now += life_seconds
        assert detector.see_close(ORIGIN, life_seconds, now=now) == 1
        assert detector.see_refusal(ORIGIN, now=now + 0.001)
        now += down_seconds
        detector.see_pass(ORIGIN, 1, was_reused=False, now=now)


def test_a_close_whose_alarm_was_followed_up_too_late_teaches_nothing() -> None:
    detector = watched()
    for round_ in range(10):
        now = 100.0 * (round_ + 1)
        assert detector.see_close(ORIGIN, 3.0, now=now) == 1
        detector.see_pass(ORIGIN, 1, was_reused=False, now=now + CONCLUSIVE_SECONDS + 1)
