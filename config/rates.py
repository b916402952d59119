"""Token buckets by key, in this process, which limit how often a second something may be done."""

import threading
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass

MOST_KEYS = 10_000


@dataclass(kw_only=True, slots=True)
class _Bucket:
    level: float
    filled_at: float


class Rates:
    """Safe to share between threads. Beyond MOST_KEYS the bucket that was used least recently is forgotten."""

    def __init__(self, most_keys: int = MOST_KEYS) -> None:
        self._most_keys = most_keys
        self._buckets: OrderedDict[Hashable, _Bucket] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, key: Hashable, amount: float = 1, *, per_second: float, burst: float, now: float) -> float:
        """Take `amount` and return 0, or take nothing and return the seconds until it can be had.

        An amount above the burst is given from a full bucket, which is then in debt: a batch of any size passes, and
        the average rate holds.
        """
        with self._lock:
            bucket = self._buckets.get(key)
            if bucket is None:
                bucket = self._buckets[key] = _Bucket(level=burst, filled_at=now)
                if len(self._buckets) > self._most_keys:
                    self._buckets.popitem(last=False)
            self._buckets.move_to_end(key)
            if now > bucket.filled_at:
                bucket.level += (now - bucket.filled_at) * per_second
            if bucket.level > burst:
                bucket.level = burst
            bucket.filled_at = now
            needed = min(amount, burst)
            if bucket.level < needed:
                return (needed - bucket.level) / per_second
            bucket.level -= amount
            return 0.0

    def give_back(self, key: Hashable, amount: float = 1) -> None:
        """Undo a `take`; the next one caps the level at its burst."""
        with self._lock:
            if key in self._buckets:
                self._buckets[key].level += amount
