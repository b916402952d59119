"""A second host on this machine: a network namespace of its own, joined to the rest by a cable that can be pulled out.

Only root may make one, and only where iproute2 is installed.
"""

import random
import subprocess
from collections.abc import Sequence
from contextlib import suppress


class Namespace:
    """`address` is this host's, reached from both sides, also by its own processes while the cable is pulled out."""

    def __init__(self) -> None:
        number = random.SystemRandom().randrange(1, 2**14)
        self._name = f"rollcall-{number}"
        self._cable = f"rc{number}"
        network = f"10.216.{number // 64}.{number % 64 * 4}"
        start, _, last = network.rpartition(".")
        self._ours, self._theirs = f"{start}.{int(last) + 1}", f"{start}.{int(last) + 2}"
        self.address = f"{start}.{int(last) + 3}"

    @property
    def prefix(self) -> tuple[str, ...]:
        """Before the command of a process that is to run there, which takes the place of this one."""
        return ("ip", "netns", "exec", self._name)

    def make(self) -> bool:
        """Make it; False where that is not allowed or not possible, and then nothing is left of it."""
        within = ("-n", self._name)
        try:
            _ip("netns", "add", self._name)
            _ip("link", "add", self._cable, "type", "veth", "peer", "name", "cable", "netns", self._name)
            # Not an address of the cable's, which would be gone with it.
            _ip("address", "add", f"{self.address}/32", "dev", "lo")
            _ip("address", "add", f"{self._ours}/30", "dev", self._cable)
            _ip("link", "set", self._cable, "up")
            _ip(*within, "address", "add", f"{self._theirs}/30", "dev", "cable")
            _ip(*within, "link", "set", "cable", "up")
            _ip(*within, "link", "set", "lo", "up")
            _ip(*within, "route", "add", self.address, "via", self._ours)
        except (OSError, subprocess.CalledProcessError):
            self.remove()
            return False
        return True

    def cut(self) -> None:
        _ip("link", "set", self._cable, "down")

    def mend(self) -> None:
        _ip("link", "set", self._cable, "up")

    async def stop(self) -> None:
        self.remove()

    def remove(self) -> None:
        undone: Sequence[tuple[str, ...]] = (
            ("link", "delete", self._cable),
            ("address", "delete", f"{self.address}/32", "dev", "lo"),
            ("netns", "delete", self._name),
        )
        for each in undone:
            with suppress(OSError, subprocess.CalledProcessError):
                _ip(*each)


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)
