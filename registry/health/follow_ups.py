"""Decides when to probe again after a first refused or reset connection: soon, not an interval later. Pure.

The threshold still counts failures in a row; only the wait between them is shorter.
"""

from registry.health.probe import Due

# After the first failure in a row, the second, and any further one.
DELAYS_SECONDS = (0.2, 0.5, 1.0)
# The limit of one prober, so that a mass failure makes no storm of probes; those beyond it wait for their interval.
PER_SECOND = 200.0
BURST = 200.0


class FollowUps:
    def __init__(self) -> None:
        self._left = BURST
        self._at = 0.0

    def delay(self, due: Due, *, now: float) -> float | None:
        """The seconds until an instance that has just failed is probed again; None to wait for its interval.

        `now` is a reading of a monotonic clock.
        """
        if due.failures + 1 >= due.failures_before_critical or due.is_suspect:
            return None
        wait = DELAYS_SECONDS[min(due.failures, len(DELAYS_SECONDS) - 1)]
        if wait >= due.interval_seconds:
            return None
        self._left = min(BURST, self._left + (now - self._at) * PER_SECOND)
        self._at = now
        if self._left < 1:
            return None
        self._left -= 1
        return wait
