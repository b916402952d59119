"""The registry's own database and Redis, which nobody may have it call."""

import socket
import threading
from dataclasses import dataclass
from time import monotonic
from urllib.parse import urlsplit

from django.conf import settings
from django.db import connection

POSTGRESQL_PORT = 5432
REDIS_PORT = 6379
# How long what a name resolved to is held to be so, and after how long one that did not resolve is asked for again.
RESOLVED_SECONDS = 60.0
FAILED_SECONDS = 10.0
THREAD = "own-endpoints"

# Hosts with their ports.
Endpoints = frozenset[tuple[str, int]]


@dataclass
class _Known:
    endpoints: Endpoints
    until: float


_known: _Known | None = None


def own() -> Endpoints:
    """As configured, and as the names among them resolved last; none for a file or a socket.

    Only the first call of a process waits for names: later ones are in the midst of registrations and probes.
    """
    global _known
    if _known is None:
        _known = _ask(_configured(), before=frozenset())
    elif monotonic() >= _known.until:
        # So that nobody else asks meanwhile.
        _known.until = monotonic() + FAILED_SECONDS
        threading.Thread(target=_ask_again, args=(_configured(), _known), name=THREAD, daemon=True).start()
    return _known.endpoints


def _configured() -> Endpoints:
    database, redis = connection.settings_dict, urlsplit(settings.REDIS_URL)
    redis_host = redis.hostname if redis.scheme.startswith("redis") else None
    named = [
        (database["HOST"], int(database["PORT"] or POSTGRESQL_PORT)),
        (redis_host or "", redis.port or REDIS_PORT),
    ]
    return frozenset((host, port) for host, port in named if host and not host.startswith("/"))


def _ask_again(configured: Endpoints, before: _Known) -> None:
    global _known
    _known = _ask(configured, before=before.endpoints)


def _ask(configured: Endpoints, *, before: Endpoints) -> _Known:
    """The names, and their addresses as they are now: an address may be registered in a name's place."""
    found, seconds = set(configured), RESOLVED_SECONDS
    for host, port in configured:
        try:
            addresses = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
        except OSError:
            # What it was is more likely than that it is nowhere.
            found |= before
            seconds = FAILED_SECONDS
        else:
            found.update((str(address[4][0]), port) for address in addresses)
    return _Known(endpoints=frozenset(found), until=monotonic() + seconds)
