"""Notices that an instance on this host has stopped listening, whatever its protocol and however it treats idle
connections, at no cost to the instance.

Belongs to the prober's event loop. Only addresses of this host are watched. An address that is redirected to another
network namespace looks closed here, which causes one needless probe.
"""

import logging
import socket
from collections.abc import Callable
from functools import lru_cache
from ipaddress import ip_address
from time import thread_time

from registry.outbound.client import Origin
from registry.outbound.listeners import Listener, Listeners

LOOK_SECONDS = 0.25
# A look at 10,000 listeners takes 30 ms: it is then made less often, so that it takes no more than this share of a
# processor. The time in which it waits for one does not count: a loaded machine would see deaths seconds later.
LARGEST_SHARE = 0.02
# A death is seen no later than that, whatever share a look then takes.
LONGEST_PAUSE_SECONDS = 2.0
MOST_ORIGINS = 100_000
# How long a return is watched for; after that the heartbeat finds it.
RETURN_SECONDS = 600.0

logger = logging.getLogger(__name__)


class ListenWatch:
    """`on_stop` is called with each origin that stops listening, `on_return` when it listens again."""

    def __init__(
        self,
        on_stop: Callable[[Origin], None],
        on_return: Callable[[Origin], None],
        *,
        listeners: Listeners | None = None,
    ) -> None:
        self._on_stop = on_stop
        self._on_return = on_return
        self._listeners = listeners
        self._origins: dict[Origin, bytes] = {}
        self._listening: set[Origin] = set()
        # Until when the return of each is waited for.
        self._stopped: dict[Origin, float] = {}
        self._next_at = 0.0
        # What the last look took of a processor.
        self._took = 0.0
        self._is_broken = False

    def add(self, origin: Origin) -> None:
        """Watch an origin that has just been reached, if it is of this host."""
        if origin in self._origins or len(self._origins) >= MOST_ORIGINS:
            return
        address = _own_address(origin.host)
        if address is not None:
            self._origins[origin] = address
            self._listening.add(origin)

    def look(self, *, now: float) -> None:
        """Ask the kernel, if it is time; `now` is a reading of a monotonic clock."""
        if now < self._next_at or not self._origins or self._is_broken:
            return
        try:
            if self._listeners is None:
                self._listeners = Listeners()
            began = thread_time()
            found = self._listeners.read()
            took = thread_time() - began
        except OSError as error:
            self._is_broken = True
            logger.info("Instances of this host are watched by their probes alone: %s", error)
            return
        # The shorter of two looks: a single long one was interrupted.
        self._next_at = now + min(max(LOOK_SECONDS, min(took, self._took) / LARGEST_SHARE), LONGEST_PAUSE_SECONDS)
        self._took = took
        self.compare(found, now=now)

    def compare(self, found: set[Listener], *, now: float) -> None:
        """Compare the listening sockets with those of before."""
        listening = {origin for origin, address in self._origins.items() if _is_served(origin.port, address, found)}
        before, self._listening = self._listening, listening
        for origin in listening & self._stopped.keys():
            del self._stopped[origin]
            self._on_return(origin)
        for origin in before - listening:
            self._stopped[origin] = now + RETURN_SECONDS
            self._on_stop(origin)
        for origin in [origin for origin, until in self._stopped.items() if until <= now]:
            del self._stopped[origin], self._origins[origin]

    def close(self) -> None:
        if self._listeners is not None:
            self._listeners.close()


def _is_served(port: int, address: bytes, found: set[Listener]) -> bool:
    if Listener(port, address) in found or Listener(port, bytes(len(address))) in found:
        return True
    # A socket of IPv6 that listens on every address serves IPv4 too.
    return len(address) == 4 and (Listener(port, bytes(16)) in found or Listener(port, _MAPPED + address) in found)


_MAPPED = bytes(10) + b"\xff\xff"


@lru_cache(maxsize=10_000)
def _own_address(host: str) -> bytes | None:
    """The address, if this host has it; None for a name, but for `localhost`."""
    try:
        address = ip_address("127.0.0.1" if host == "localhost" else host)
        family = socket.AF_INET if address.version == 4 else socket.AF_INET6
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.bind((str(address), 0))
    except (ValueError, OSError):
        return None
    return address.packed
