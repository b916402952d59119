"""Counts that all workers share in Redis, for the metrics.

Counted in memory and added once a second; a worker that dies takes at most a second's counts with it.
"""

import logging
import math
import threading
import time
from collections import defaultdict
from collections.abc import Callable

import redis

FLUSH_SECONDS = 1.0
# Probes' results and webhooks wait for as long as Redis hangs: it is not asked again at once.
AWAY_SECONDS = 5.0

logger = logging.getLogger(__name__)


class Counts:
    """The counts by field of one hash that this process has not added yet; `what` names them in the log."""

    def __init__(
        self, server: redis.Redis, key: str, *, what: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._redis = server
        self._key = key
        self._what = what
        self._clock = clock
        self._lock = threading.Lock()
        self._counts: defaultdict[str, float] = defaultdict(int)
        self._flush_at = -math.inf

    def add(self, field: str, count: float) -> None:
        with self._lock:
            self._counts[field] += count

    def flush(self) -> None:
        """Add the counts to those of all workers, unless that was done a moment ago or Redis is away."""
        if not self._counts or self._clock() < self._flush_at:
            return
        self._flush_at = self._clock() + FLUSH_SECONDS
        with self._lock:
            counts, self._counts = self._counts, defaultdict(int)
        try:
            with self._redis.pipeline() as pipeline:
                for field, count in counts.items():
                    if isinstance(count, int):
                        pipeline.hincrby(self._key, field, count)
                    else:
                        pipeline.hincrbyfloat(self._key, field, count)
                pipeline.execute()
        except redis.RedisError as error:
            self._flush_at = self._clock() + AWAY_SECONDS
            total = sum(count for count in counts.values() if isinstance(count, int))
            logger.warning("Redis is away: %d %s are not counted: %s", total, self._what, error)
