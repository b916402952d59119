"""Limits on signing in with a password: counted before the hash is computed, and few hashes at once.

Attempts per account and address, per account, and per address are counted in this process before the password is looked
at, so that neither a flood of attempts nor many at the same time get more guesses. A sign-in that succeeds gives back
what it took. Guesses from many addresses empty the account's own bucket; an address from which the account has signed
in before is not held to that one.
"""

import math
import os
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from config.problems import TooManyRequests
from config.rates import Rates


@dataclass(frozen=True, kw_only=True)
class Rate:
    burst: int
    seconds_each: float


PER_ACCOUNT_AND_ADDRESS = Rate(burst=5, seconds_each=30)
PER_ACCOUNT = Rate(burst=20, seconds_each=15)
PER_ADDRESS = Rate(burst=30, seconds_each=5)
MOST_KNOWN = 10_000
# A hash takes a third of a second of CPU time. At most half of the processors hash, so that pages are still answered.
HASHES_AT_ONCE = max(1, (os.cpu_count() or 2) // 2)
# Requests that may wait for a hash; each occupies one of the threads that answer pages.
MOST_WAITING = 2
WAIT_SECONDS = 2.0


class SignInRefused(TooManyRequests):
    code = "too-many-sign-ins"


class Attempts:
    """Counts attempts to sign in, and refuses too many; safe to share between threads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._rates = Rates()
        self._known: OrderedDict[tuple[str, str], None] = OrderedDict()
        self._hashing = threading.BoundedSemaphore(HASHES_AT_ONCE)
        self._waiting = threading.BoundedSemaphore(HASHES_AT_ONCE + MOST_WAITING)

    def count(self, account: str, address: str) -> None:
        """Count an attempt. Raises SignInRefused when there were too many for this account or from this address."""
        now = self._clock()
        taken: list[tuple[str, str, str]] = []
        for key, rate in self._buckets(account, address):
            seconds = self._rates.take(key, per_second=1 / rate.seconds_each, burst=rate.burst, now=now)
            if seconds:
                for each in taken:
                    self._rates.give_back(each)
                raise _refusal(math.ceil(seconds))
            taken.append(key)

    def succeed(self, account: str, address: str) -> None:
        for key, _ in self._buckets(account, address):
            self._rates.give_back(key)
        self._known[account, address] = None
        self._known.move_to_end((account, address))
        if len(self._known) > MOST_KNOWN:
            self._known.popitem(last=False)

    @contextmanager
    def hashing(self) -> Iterator[None]:
        """Hold a place while a password is hashed. Raises SignInRefused when too many are being hashed."""
        if not self._waiting.acquire(blocking=False):
            raise _refusal(1)
        try:
            if not self._hashing.acquire(timeout=WAIT_SECONDS):
                raise _refusal(1)
            try:
                yield
            finally:
                self._hashing.release()
        finally:
            self._waiting.release()

    def _buckets(self, account: str, address: str) -> Iterator[tuple[tuple[str, str, str], Rate]]:
        yield ("address", "", address), PER_ADDRESS
        yield ("pair", account, address), PER_ACCOUNT_AND_ADDRESS
        if (account, address) not in self._known:
            yield ("account", account, ""), PER_ACCOUNT


def _refusal(seconds: int) -> SignInRefused:
    wait = f"{seconds} s" if seconds < 120 else f"{math.ceil(seconds / 60)} minutes"
    return SignInRefused(f"There were too many attempts to sign in: try again in {wait}.", retry_after_seconds=seconds)
