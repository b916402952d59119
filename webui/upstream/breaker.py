"""A circuit breaker for each service: while one hangs, no request waits for it; it is tried again when it is back."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

# A service that hangs is not asked for this long; otherwise all our threads would hang with it.
PAUSE = timedelta(seconds=3)


@dataclass(frozen=True, kw_only=True)
class Outage:
    since: datetime
    reason: str
    # None: it fails quickly, so that asking costs little.
    ask_again_at: datetime | None
    # Where the service was offered when it failed: other addresses mean that it is back.
    addresses: Sequence[str]


class Breaker:
    """`addresses_of` says where a service is offered now, as the registry announced it."""

    def __init__(self, addresses_of: Callable[[str], Sequence[str]]) -> None:
        self._addresses_of = addresses_of
        self._outages: dict[str, Outage] = {}
        self._lock = threading.Lock()

    def refusal(self, service: str, *, now: datetime) -> Outage | None:
        """The outage for which the service is not asked now; one caller after each pause tries for all."""
        with self._lock:
            outage = self._outages.get(service)
            if outage is None or outage.ask_again_at is None:
                return None
            # Set back, the clock would make the pause longer.
            is_paused = outage.ask_again_at - PAUSE <= now < outage.ask_again_at
            if is_paused and outage.addresses == self._addresses_of(service):
                return outage
            self._outages[service] = replace(outage, ask_again_at=now + PAUSE)
            return None

    def open(self, service: str, reason: str, *, now: datetime, hangs: bool = False) -> Outage:
        with self._lock:
            known = self._outages.get(service)
            outage = self._outages[service] = Outage(
                since=known.since if known else now,
                reason=reason,
                ask_again_at=now + PAUSE if hangs else None,
                addresses=self._addresses_of(service),
            )
        return outage

    def close(self, service: str) -> None:
        self._outages.pop(service, None)

    def close_all(self) -> None:
        self._outages.clear()
