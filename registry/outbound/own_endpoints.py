"""The endpoints of the registry's own database and Redis, which it never calls for anybody."""

import threading
from collections.abc import Callable, Iterable
from time import monotonic
from urllib.parse import urlsplit

from django.conf import settings
from django.db import connection

from registry.outbound.dns import addresses

POSTGRESQL_PORT = 5432
REDIS_PORT = 6379
# How long a name's addresses are kept, and after how long a name that did not resolve is looked up again.
RESOLVED_SECONDS = 60.0
FAILED_SECONDS = 10.0
THREAD = "own-endpoints"

# Hosts with their ports.
Endpoints = frozenset[tuple[str, int]]


Lookup = Callable[[str], Iterable[str]]


class OwnEndpoints:
    """The endpoints of our own services, as configured and as the names among them resolved last; none for a file or a
    socket. Only the first caller waits for names: later ones are in the midst of registrations and probes.

    Only the first caller waits for names: later ones are in the midst of registrations and probes.
    """

    def __init__(self, *, look_up: Lookup = addresses, clock: Callable[[], float] = monotonic) -> None:
        self._look_up = look_up
        self._clock = clock
        self._endpoints: Endpoints | None = None
        self._fresh_until = 0.0

    def known(self) -> Endpoints:
        if self._endpoints is None:
            self._ask(_configured(), before=frozenset())
        elif self._clock() >= self._fresh_until:
            # So that no other thread resolves meanwhile.
            self._fresh_until = self._clock() + FAILED_SECONDS
            asking = threading.Thread(
                target=self._ask, args=(_configured(),), kwargs={"before": self._endpoints}, name=THREAD, daemon=True
            )
            asking.start()
        return self._endpoints or frozenset()

    def _ask(self, configured: Endpoints, *, before: Endpoints) -> None:
        """Keep the names, and their addresses as they are now: an address may be registered in a name's place."""
        found, seconds = set(configured), RESOLVED_SECONDS
        for host, port in configured:
            try:
                found.update((address, port) for address in self._look_up(host))
            except OSError:
                # Its last addresses are likelier than none.
                found |= before
                seconds = FAILED_SECONDS
        self._endpoints, self._fresh_until = frozenset(found), self._clock() + seconds


def _configured() -> Endpoints:
    database, redis = connection.settings_dict, urlsplit(settings.REDIS_URL)
    redis_host = redis.hostname if redis.scheme.startswith("redis") else None
    named = [
        (database["HOST"], int(database["PORT"] or POSTGRESQL_PORT)),
        (redis_host or "", redis.port or REDIS_PORT),
    ]
    return frozenset((host, port) for host, port in named if host and not host.startswith("/"))
