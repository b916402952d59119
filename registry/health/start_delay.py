"""The delays with which probes begin: a histogram in Redis, shared by all workers, for the metrics.

Counted in memory and added once a second; a worker that dies takes at most a second's counts with it.
"""

import logging
import math
import threading
import time
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import redis

from registry import redis_client

logger = logging.getLogger(__name__)

KEY = "rollcall:lateness"
# Upper bounds in seconds; beyond the last there is one more bucket.
BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
FLUSH_SECONDS = 1.0
# Results wait to be written for as long as Redis hangs: it is not asked again at once.
AWAY_SECONDS = 5.0


@dataclass(frozen=True, kw_only=True)
class Histogram:
    """`counts` has one number for each of BOUNDS and one for what is beyond, none of them cumulative."""

    counts: tuple[int, ...]
    total_seconds: float

    @property
    def count(self) -> int:
        return sum(self.counts)

    def quantile(self, share: float) -> float:
        """The bound below which at least this share lies; infinity beyond the last."""
        wanted, seen = share * self.count, 0
        for bound, count in zip((*BOUNDS, float("inf")), self.counts, strict=True):
            seen += count
            if seen >= wanted:
                return bound
        return float("inf")


class Tally:
    """The delays that one process has counted and not yet added."""

    def __init__(self, server: redis.Redis, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._redis = server
        self._clock = clock
        self._lock = threading.Lock()
        self._counts = [0] * (len(BOUNDS) + 1)
        self._total_seconds = 0.0
        self._flush_at = -math.inf

    def add(self, late_seconds: float) -> None:
        late_seconds = max(0.0, late_seconds)
        with self._lock:
            self._counts[bisect_left(BOUNDS, late_seconds)] += 1
            self._total_seconds += late_seconds

    def flush(self) -> None:
        """Add the delays to the shared histogram, unless that was done a moment ago or Redis is away."""
        if self._clock() < self._flush_at:
            return
        self._flush_at = self._clock() + FLUSH_SECONDS
        with self._lock:
            counts, self._counts = self._counts, [0] * len(self._counts)
            total_seconds, self._total_seconds = self._total_seconds, 0.0
        try:
            with self._redis.pipeline() as pipeline:
                for number, count in enumerate(counts):
                    if count:
                        pipeline.hincrby(KEY, str(number), count)
                pipeline.hincrbyfloat(KEY, "seconds", total_seconds)
                pipeline.execute()
        except redis.RedisError as error:
            self._flush_at = self._clock() + AWAY_SECONDS
            logger.warning("Redis is away: the start delays of %d probes are not counted: %s", sum(counts), error)


def read(server: redis.Redis | None = None) -> Histogram:
    """The delays that all workers have counted since Redis was last flushed. Raises redis.RedisError."""
    with server or redis_client.connect() as client:
        kept: dict[Any, Any] = client.hgetall(KEY)
    found = {key.decode(): value for key, value in kept.items()}
    return Histogram(
        counts=tuple(int(found.get(str(number), 0)) for number in range(len(BOUNDS) + 1)),
        total_seconds=float(found.get("seconds", 0.0)),
    )
