from hypothesis import given
from hypothesis import strategies as st

from registry.health.follow_ups import BURST, DELAYS_SECONDS, PER_SECOND, FollowUps
from tests.registry.health.claims import due


def test_failures_before_the_last_are_followed_up_ever_later() -> None:
    follow_ups = FollowUps()

    waits = [follow_ups.delay(due(failures=failures, failures_before_critical=5), now=1.0) for failures in range(5)]

    assert waits == [*DELAYS_SECONDS, DELAYS_SECONDS[-1], None]


def test_an_instance_that_is_kept_or_probed_as_often_anyway_is_not_followed_up() -> None:
    follow_ups = FollowUps()

    assert follow_ups.delay(due(is_suspect=True), now=1.0) is None
    assert follow_ups.delay(due(interval_seconds=0.1), now=1.0) is None


@given(st.lists(st.floats(0, 0.1), max_size=2000))
def test_however_much_fails_at_once_the_prober_keeps_to_its_budget(waits: list[float]) -> None:
    follow_ups, now, count = FollowUps(), 1.0, 0
    for seconds in waits:
        now += seconds
        count += follow_ups.delay(due(), now=now) is not None

    assert count <= BURST + (now - 1.0) * PER_SECOND + 1
