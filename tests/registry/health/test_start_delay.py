from typing import cast

import pytest
import redis
from hypothesis import given
from hypothesis import strategies as st

from registry.health import start_delay
from registry.health.start_delay import BOUNDS, Delays, Histogram
from registry.redis_counts import AWAY_SECONDS


class Pipeline:
    """Keeps what a pipeline of Redis was told."""

    def __init__(self, kept: dict[str, float]) -> None:
        self._kept = kept

    def __enter__(self) -> "Pipeline":
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def hincrby(self, key: str, field: str, count: float) -> None:
        self._kept[field] = self._kept.get(field, 0) + count

    hincrbyfloat = hincrby

    def execute(self) -> None:
        pass


class Store:
    def __init__(self) -> None:
        self.kept: dict[str, float] = {}

    def pipeline(self) -> Pipeline:
        return Pipeline(self.kept)

    def __enter__(self) -> "Store":
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def hgetall(self, key: str) -> dict[bytes, bytes]:
        return {field.encode(): str(value).encode() for field, value in self.kept.items()}


@given(st.lists(st.floats(0, 100), min_size=1), st.floats(0.01, 1))
def test_a_quantile_is_a_bound_below_which_that_share_lies(lates: list[float], share: float) -> None:
    counts = [0] * (len(BOUNDS) + 1)
    for late in lates:
        counts[sum(bound < late for bound in BOUNDS)] += 1
    bound = Histogram(counts=tuple(counts), total_seconds=sum(lates)).quantile(share)

    assert sum(late <= bound for late in lates) >= share * len(lates) - 1e-9


def test_what_is_counted_is_added_to_the_common_histogram() -> None:
    store = Store()
    delays = Delays(cast(redis.Redis, store))
    for late in (-1.0, 0.004, 0.2, 99.0):
        delays.add(late)
    delays.flush()

    found = start_delay.read(cast(redis.Redis, store))

    assert (found.count, found.counts[0], found.counts[-1]) == (4, 2, 1)
    assert found.total_seconds == pytest.approx(99.204)


def test_without_redis_counting_goes_on_and_it_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    now = [100.0]
    delays = Delays(redis.Redis.from_url("unix:///nowhere/redis.sock"), clock=lambda: now[0])
    delays.add(1.0)

    delays.flush()

    assert "1 start delays of probes are not counted" in caplog.text
    # Whoever counts waits for nobody until it has been away for a while.
    caplog.clear()
    delays.add(1.0)
    now[0] += AWAY_SECONDS - 0.1
    delays.flush()
    assert caplog.text == ""
    now[0] += 0.1
    delays.flush()
    assert "not counted" in caplog.text
