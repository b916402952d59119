"""Ports that are free now and stay so until a process that is still to start listens on them."""

import random
import socket
from contextlib import suppress

# Below those that the kernel gives to connections: one of these would otherwise take a port between its being found
# free and its being listened on. By chance, as other runs of the tests choose at the same time.
CHOICE = range(12_000, 32_000)
_given: set[int] = set()


def free_port() -> int:
    """A free port; none is given twice."""
    chance = random.SystemRandom()
    while True:
        port = chance.choice(CHOICE)
        if port not in _given and _is_free(port):
            _given.add(port)
            return port


def _is_free(port: int) -> bool:
    with suppress(OSError), socket.create_server(("127.0.0.1", port)):
        return True
    return False
