"""The webhooks that waited for their tokens' limits, counted by token for the metrics."""

import time
from collections.abc import Callable
from typing import Any

import redis

from registry import redis_client
from registry.redis_counts import Counts

KEY = "rollcall:webhooks_put_off"


def counts(server: redis.Redis, *, clock: Callable[[], float] = time.monotonic) -> Counts:
    """The counts of one process, to which it adds by the names of tokens."""
    return Counts(server, KEY, what="webhooks that wait", clock=clock)


def read(server: redis.Redis | None = None) -> dict[str, int]:
    """The webhooks put off by token, since Redis was last flushed. Raises redis.RedisError."""
    with server or redis_client.connect() as client:
        kept: dict[Any, Any] = client.hgetall(KEY)
    return {token.decode(): int(count) for token, count in kept.items()}
