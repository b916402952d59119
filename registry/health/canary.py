"""The canary: addresses that answer as long as our own network works."""

import socket
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from urllib.parse import urlsplit

from config.networks import DEFAULT_PORTS

TIMEOUT_SECONDS = 1.0
# One check serves all callers within this time.
FRESH_SECONDS = 2.0


class Canary:
    def __init__(self, urls: Sequence[str], clock: Callable[[], float] = time.monotonic) -> None:
        self._urls = urls
        self._clock = clock
        self._lock = threading.Lock()
        self._looked_at: float | None = None
        self._is_silent = False

    def is_silent(self) -> bool:
        """Whether none of the addresses accepts a connection; False when there are none."""
        if not self._urls:
            return False
        with self._lock:
            if self._looked_at is None or self._clock() - self._looked_at > FRESH_SECONDS:
                self._is_silent = True
                for parts in map(urlsplit, self._urls):
                    with suppress(OSError, ValueError):
                        address = (parts.hostname or "", parts.port or DEFAULT_PORTS.get(parts.scheme, 80))
                        socket.create_connection(address, TIMEOUT_SECONDS).close()
                        self._is_silent = False
                        break
                self._looked_at = self._clock()
            return self._is_silent
