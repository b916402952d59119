"""The delays with which probes begin, as a histogram for the metrics."""

import time
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import redis

from registry import redis_client
from registry.redis_counts import Counts

KEY = "rollcall:lateness"
# Upper bounds in seconds; beyond the last there is one more bucket.
BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


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


class Delays:
    """The delays that one process has counted and not yet added."""

    def __init__(self, server: redis.Redis, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._counts = Counts(server, KEY, what="start delays of probes", clock=clock)
        self.flush = self._counts.flush

    def add(self, late_seconds: float) -> None:
        late_seconds = max(0.0, late_seconds)
        self._counts.add(str(bisect_left(BOUNDS, late_seconds)), 1)
        self._counts.add("seconds", late_seconds)


def read(server: redis.Redis | None = None) -> Histogram:
    """The delays that all workers have counted since Redis was last flushed. Raises redis.RedisError."""
    with server or redis_client.connect() as client:
        kept: dict[Any, Any] = client.hgetall(KEY)
    found = {key.decode(): value for key, value in kept.items()}
    return Histogram(
        counts=tuple(int(found.get(str(number), 0)) for number in range(len(BOUNDS) + 1)),
        total_seconds=float(found.get("seconds", 0.0)),
    )
