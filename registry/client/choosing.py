"""Choosing among a service's providers: by weight, its own zone first, without those reported as failing."""

import itertools
import math
import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from heapq import heapify, heapreplace

from .wire import Provider, ProvidersByService

FIRST_EJECTION_SECONDS = 10.0
LONGEST_EJECTION_SECONDS = 300.0
# How finely weights are kept: a round longer than this is shortened, and weights rounded with it.
LONGEST_ROUND = 4096

Key = tuple[str, str]


@dataclass(frozen=True, kw_only=True)
class Ejection:
    """A provider set aside until a time of the clock, for the `times`th time in a row."""

    until: float
    times: int


class Chooser:
    """`choose` takes no lock: it draws from an endless round, made anew when the providers or the ejections change."""

    def __init__(self, *, zone: str = "", clock: Callable[[], float] = time.monotonic) -> None:
        self._zone = zone
        self._clock = clock
        self._providers: ProvidersByService = {}
        self._ejections: dict[Key, Ejection] = {}
        self._rounds: dict[str, Iterator[Provider]] = {}
        self._next_return = math.inf
        self._lock = threading.Lock()

    def choose(self, service: str) -> Provider | None:
        """The next provider; None when no instance is offered."""
        if self._clock() >= self._next_return:
            with self._lock:
                self._make_rounds(list(self._providers))
        chosen = self._rounds.get(service)
        return None if chosen is None else next(chosen)

    def update(self, providers: ProvidersByService) -> None:
        with self._lock:
            before, self._providers = self._providers, providers
            offered = {_key(provider) for service in providers.values() for provider in service}
            self._ejections = {key: each for key, each in self._ejections.items() if key in offered}
            changed = [name for name in {*before, *providers} if before.get(name) != providers.get(name)]
            self._make_rounds(changed)

    def report_failure(self, provider: Provider) -> None:
        """Set it aside for a while, doubled each time it fails again; never more than half of a service at once."""
        with self._lock:
            now = self._clock()
            ejection = self._ejections.get(_key(provider))
            is_recent = ejection is not None and now < ejection.until + LONGEST_EJECTION_SECONDS
            times = (ejection.times if ejection and is_recent else 0) + 1
            seconds = min(FIRST_EJECTION_SECONDS * 2 ** min(times - 1, 16), LONGEST_EJECTION_SECONDS)
            self._ejections[_key(provider)] = Ejection(until=now + seconds, times=times)
            self._make_rounds([provider.service])

    def report_success(self, provider: Provider) -> None:
        """It works: the next failure counts as the first again."""
        if _key(provider) in self._ejections:
            with self._lock:
                self._ejections.pop(_key(provider), None)
                self._make_rounds([provider.service])

    def renew_lock(self) -> None:
        """Make a new lock in a forked child: a thread of the parent's may have held the old one."""
        self._lock = threading.Lock()

    def _make_rounds(self, services: Sequence[str]) -> None:
        now = self._clock()
        rounds = dict(self._rounds)
        for service in services:
            offered = self._providers.get(service, ())
            rounds.pop(service, None)
            if offered:
                # At most half are set aside; those whose time ends first return.
                out = [each for each in offered if (found := self._ejections.get(_key(each))) and found.until > now]
                out.sort(key=lambda provider: self._ejections[_key(provider)].until, reverse=True)
                aside = {_key(provider) for provider in out[: len(offered) // 2]}
                fit = [provider for provider in offered if _key(provider) not in aside]
                near = [each for each in fit if self._zone and each.zone == self._zone and each.weight]
                picks = weighted_round(near or fit)
                # A random start, so that clients that start together do not all call the same instance first.
                start = random.randrange(len(picks))
                rounds[service] = itertools.cycle(picks[start:] + picks[:start])
        self._rounds = rounds
        self._next_return = min((each.until for each in self._ejections.values() if each.until > now), default=math.inf)


def weighted_round(providers: Sequence[Provider]) -> list[Provider]:
    """A round in which each provider has its share, its picks spread evenly and not in a row.

    A weight of 0 means no share, unless all weights are 0. Each pick goes to the provider whose turn comes first, turns
    being 1/weight apart (earliest deadline first); weights are divided by their greatest common divisor.
    """
    shares = [provider.weight for provider in providers]
    if not any(shares):
        shares = [1] * len(providers)
    divisor = math.gcd(*shares)
    longest, total = max(LONGEST_ROUND, len(shares)), sum(shares) // divisor
    shares = [share // divisor for share in shares]
    if total > longest:
        shares = [max(1, share * longest // total) if share else 0 for share in shares]
    turns = [(0.5 / share, index) for index, share in enumerate(shares) if share]
    heapify(turns)
    picks = []
    for _ in range(sum(shares)):
        at, index = turns[0]
        picks.append(providers[index])
        heapreplace(turns, (at + 1 / shares[index], index))
    return picks


def _key(provider: Provider) -> Key:
    return provider.service, provider.instance
