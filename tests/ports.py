"""Ports that are free now and stay so until a process that is still to start listens on them."""

import random
import socket
from contextlib import suppress

# Below those that the kernel gives to connections: one of these would otherwise take a port between its being found
# free and its being listened on.
CHOICE = range(12_000, 32_000)
# A port is given to whoever has the UDP port of its number, which nothing here uses: so no other process that runs
# tests gives it, too, until this one ends.
_held: list[socket.socket] = []


def free_port() -> int:
    """A free port; none is given twice, by this process or another."""
    chance = random.SystemRandom()
    while True:
        port = chance.choice(CHOICE)
        if _is_free(port) and _hold(port):
            return port


def _is_free(port: int) -> bool:
    with suppress(OSError), socket.create_server(("127.0.0.1", port)):
        return True
    return False


def _hold(port: int) -> bool:
    holding = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        holding.bind(("127.0.0.1", port))
    except OSError:
        holding.close()
        return False
    _held.append(holding)
    return True
