"""The canary: addresses that answer as long as our own network works."""

import socket
import threading
import time
from urllib.parse import urlsplit

from django.conf import settings

from registry.outbound.urls import DEFAULT_PORTS

TIMEOUT_SECONDS = 1.0
# One look serves all that ask within this time.
FRESH_SECONDS = 2.0


class Canary:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._looked_at = 0.0
        self._is_silent = False

    def is_silent(self) -> bool:
        """Whether none of the addresses that are set takes a connection; False when none is set."""
        if not settings.CANARY_URLS:
            return False
        with self._lock:
            if time.monotonic() - self._looked_at > FRESH_SECONDS:
                self._is_silent = not any(_answers(url) for url in settings.CANARY_URLS)
                self._looked_at = time.monotonic()
            return self._is_silent


is_silent = Canary().is_silent


def _answers(url: str) -> bool:
    parts = urlsplit(url)
    try:
        address = (parts.hostname or "", parts.port or DEFAULT_PORTS.get(parts.scheme, 80))
        socket.create_connection(address, TIMEOUT_SECONDS).close()
    except (OSError, ValueError):
        return False
    return True
