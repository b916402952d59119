"""Limits on what one token may do in a second or a minute, hold at once, or own; else it gets 429 with `Retry-After`.

Counted in this process, which takes a fortieth of the time that a count in Redis takes (bench/bench_limits.py). A
service that is served by several processes allows each of them as much.
"""

import math
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache

from django.conf import settings

from config.problems import TooManyRequests
from config.rates import Rates
from config.tokens.holder import Holder

REQUESTS = "requests_per_second"
# The seconds' worth of requests that may come at once after a pause.
BURST_SECONDS = 2.0
# The same of a limit per minute: what a whole fleet does at one time is rare.
PER_MINUTE = "_per_minute"
BURST_MINUTES = 10
# When a held place becomes free cannot be known.
HOLD_RETRY_SECONDS = 5


class Limits:
    """`limit` is a member of settings.TOKEN_LIMITS, which a token's own limits override; 0 is no limit."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._rates = Rates()
        self._held: Counter[tuple[str, str]] = Counter()
        self._refused: Counter[tuple[str, str]] = Counter()
        self._lock = threading.Lock()

    def spend(self, holder: Holder, limit: str, amount: int = 1) -> None:
        """Count `amount` against a limit per second or minute. Raises TooManyRequests, and then nothing is counted."""
        seconds = self.seconds_until(holder, limit, amount)
        if seconds:
            self._refuse(holder, limit, allowance(holder, limit), retry_after_seconds=seconds)

    def seconds_until(self, holder: Holder, limit: str, amount: int = 1) -> float:
        """The same: 0 when it was counted, else the seconds until it can be, and no refusal is noted."""
        allowed = allowance(holder, limit)
        if not allowed or not amount:
            return 0.0
        per_second, burst = rate(limit, allowed)
        return self._rates.take((holder.name, limit), amount, per_second=per_second, burst=burst, now=self._clock())

    def check_rate(self, holder: Holder, limit: str) -> None:
        """Raises TooManyRequests where not even one could be counted against a limit per second or minute."""
        seconds = self.seconds_until(holder, limit)
        if seconds:
            self._refuse(holder, limit, allowance(holder, limit), retry_after_seconds=seconds)
        self.give_back(holder, limit)

    def charge(self, holder: Holder, limit: str, amount: int) -> None:
        """Count what has been used already, whatever is left: what is too much is waited for by the next."""
        if allowance(holder, limit):
            self._rates.give_back((holder.name, limit), -amount)

    def give_back(self, holder: Holder, limit: str) -> None:
        """Undo one that was counted."""
        if allowance(holder, limit):
            self._rates.give_back((holder.name, limit))

    @contextmanager
    def hold(self, holder: Holder, limit: str) -> Iterator[None]:
        """Count one against a limit of concurrent use, while the context lasts. Raises TooManyRequests."""
        allowed, key = allowance(holder, limit), (holder.name, limit)
        with self._lock:
            is_full = bool(allowed) and self._held[key] >= allowed
            if not is_full:
                self._held[key] += 1
        if is_full:
            self._refuse(holder, limit, allowed, retry_after_seconds=HOLD_RETRY_SECONDS)
        try:
            yield
        finally:
            with self._lock:
                self._held[key] -= 1
                if not self._held[key]:
                    del self._held[key]

    def held(self, holder: Holder, limit: str) -> int:
        """Count those that hold a place under a limit of concurrent use; 0 where there is no limit."""
        return self._held[holder.name, limit] if allowance(holder, limit) else 0

    def check(self, holder: Holder, limit: str, count: int) -> None:
        """Raises TooManyRequests when the caller's `count` is above the limit."""
        allowed = allowance(holder, limit)
        if allowed and count > allowed:
            self._refuse(holder, limit, allowed, retry_after_seconds=HOLD_RETRY_SECONDS)

    def note(self, token: str, limit: str) -> None:
        """Count a refusal that the caller makes."""
        with self._lock:
            self._refused[token, limit] += 1

    def refused(self) -> dict[tuple[str, str], int]:
        """The number of refusals since the process began, by token and limit."""
        with self._lock:
            return dict(self._refused)

    def _refuse(self, holder: Holder, limit: str, allowed: int, *, retry_after_seconds: float) -> None:
        self.note(holder.name, limit)
        what = limit.replace("_", " ")
        problem = TooManyRequests(
            f"The token {holder.name!r} may have {allowed} {what}: wait, or ask for a higher limit.",
            retry_after_seconds=math.ceil(retry_after_seconds),
            limit=limit,
            allowed=allowed,
        )
        problem.who = holder.name
        raise problem


def allowance(holder: Holder, limit: str) -> int:
    if (own := holder.limits.get(limit)) is not None:
        return own
    return settings.TOKEN_LIMITS.get(limit, 0)


@lru_cache
def rate(limit: str, allowed: int) -> tuple[float, float]:
    """The units that a limit allows a second, and at once."""
    if limit.endswith(PER_MINUTE):
        return allowed / 60, allowed * BURST_MINUTES
    return allowed, allowed * BURST_SECONDS
