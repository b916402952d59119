from typing import Any, cast

import pytest
import redis

from registry.webhooks import put_off
from registry.webhooks.put_off import AWAY_SECONDS, FLUSH_SECONDS, Tally
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
    tally = Tally(cast(redis.Redis, store), clock=clock)
    tally.add("deployer", 3)
    tally.flush()
    tally.add("deployer", 2)
    tally.add("another", 1)
    tally.flush()
    assert put_off.read(store) == {"deployer": 3}

    clock.now += FLUSH_SECONDS
    tally.flush()
    assert put_off.read(store) == {"deployer": 5, "another": 1}


def test_without_redis_webhooks_go_on_and_it_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock(100.0)
    tally = Tally(redis.Redis.from_url("unix:///nowhere/redis.sock"), clock=clock)
    tally.add("deployer", 3)
    tally.flush()
    assert "3 webhooks that wait are not counted" in caplog.text

    caplog.clear()
    tally.add("deployer", 1)
    clock.now += AWAY_SECONDS - 0.1
    tally.flush()
    assert caplog.text == ""
