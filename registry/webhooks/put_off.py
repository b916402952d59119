"""Counts the webhooks that waited for their tokens' limits: in Redis, shared by all workers, for the metrics.

Counted in memory and added once a second; a worker that dies takes at most a second's counts with it.
"""

import logging
import math
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import redis

from registry import redis_client

KEY = "rollcall:webhooks_put_off"
FLUSH_SECONDS = 1.0
# Webhooks wait for as long as Redis hangs: it is not asked again at once.
AWAY_SECONDS = 5.0

logger = logging.getLogger(__name__)


class Tally:
    """The webhooks that one process has put off and not yet added; used by one thread at a time."""

    def __init__(self, server: redis.Redis, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._redis = server
        self._clock = clock
        self._counts: Counter[str] = Counter()
        self._flush_at = -math.inf

    def add(self, token: str, count: int) -> None:
        self._counts[token] += count

    def flush(self) -> None:
        """Add the counts to those of all workers, unless that was done a moment ago or Redis is away."""
        if not self._counts or self._clock() < self._flush_at:
            return
        self._flush_at = self._clock() + FLUSH_SECONDS
        counts, self._counts = self._counts, Counter()
        try:
            with self._redis.pipeline() as pipeline:
                for token, count in counts.items():
                    pipeline.hincrby(KEY, token, count)
                pipeline.execute()
        except redis.RedisError as error:
            self._flush_at = self._clock() + AWAY_SECONDS
            logger.warning("Redis is away: %d webhooks that wait are not counted: %s", counts.total(), error)


def read(server: redis.Redis | None = None) -> dict[str, int]:
    """The webhooks put off by token, since Redis was last flushed. Raises redis.RedisError."""
    with server or redis_client.connect() as client:
        kept: dict[Any, Any] = client.hgetall(KEY)
    return {token.decode(): int(count) for token, count in kept.items()}
