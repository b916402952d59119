"""The registry's own database and Redis, which nobody may have it call."""

import socket
from contextlib import suppress
from functools import cache
from urllib.parse import urlsplit

from django.conf import settings
from django.db import connection

POSTGRESQL_PORT = 5432
REDIS_PORT = 6379


@cache
def own() -> frozenset[tuple[str, int]]:
    """Hosts with their ports, as configured and as the names among them resolve; none for a file or a socket."""
    database, redis = connection.settings_dict, urlsplit(settings.REDIS_URL)
    redis_host = redis.hostname if redis.scheme.startswith("redis") else None
    named = [
        (database["HOST"], int(database["PORT"] or POSTGRESQL_PORT)),
        (redis_host or "", redis.port or REDIS_PORT),
    ]
    return frozenset(
        (spelling, port) for host, port in named if host and not host.startswith("/") for spelling in _spellings(host)
    )


def _spellings(host: str) -> set[str]:
    """The name, and its addresses as they are now: an address may be registered in a name's place."""
    found = {host}
    with suppress(OSError):
        found.update(str(address[4][0]) for address in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM))
    return found
