from typing import Any, cast

import pytest
import redis

from registry.redis_counts import AWAY_SECONDS, FLUSH_SECONDS
from registry.webhooks import wait_counts
from tests.clock import Clock


class Store:
    """As much of a Redis as is asked."""

    def __init__(self) -> None:
        self.kept: dict[str, int] = {}

    def __enter__(self) -> "Store":
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def pipeline(self) -> "Store":
        return self

    def hincrby(self, key: str, field: str, count: int) -> None:
        self.kept[field] = self.kept.get(field, 0) + count

    def execute(self) -> None:
        pass

    def hgetall(self, key: str) -> dict[bytes, bytes]:
        return {field.encode(): str(value).encode() for field, value in self.kept.items()}


def test_what_waits_is_counted_by_token_once_a_second() -> None:
    store: Any = Store()
    clock = Clock(100.0)
    counts = wait_counts.counts(cast(redis.Redis, store), clock=clock)
    counts.add("deployer", 3)
    counts.flush()
    counts.add("deployer", 2)
    counts.add("another", 1)
    counts.flush()
    assert wait_counts.read(store) == {"deployer": 3}

    clock.now += FLUSH_SECONDS
    counts.flush()
    assert wait_counts.read(store) == {"deployer": 5, "another": 1}


def test_without_redis_webhooks_go_on_and_it_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock(100.0)
    counts = wait_counts.counts(redis.Redis.from_url("unix:///nowhere/redis.sock"), clock=clock)
    counts.add("deployer", 3)
    counts.flush()
    assert "3 webhooks that wait are not counted" in caplog.text

    caplog.clear()
    counts.add("deployer", 1)
    clock.now += AWAY_SECONDS - 0.1
    counts.flush()
    assert caplog.text == ""
