"""How many webhooks may be under way to one host at once, so that a host which hangs delays nobody elsewhere."""

import threading
from collections import Counter
from typing import TypeVar

MOST = 1000
# To an address that last gave no answer at all; what else listens on its host is not its fault.
MOST_TO_SILENT = 16
# Silent addresses that are remembered; those beyond it are given another chance.
MOST_SILENT = 10_000

# A host and a port.
Address = tuple[str, int]
Key = TypeVar("Key")


class Hosts:
    """Used by several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._to_host: Counter[str] = Counter()
        self._to_address: Counter[Address] = Counter()
        self._silent: dict[Address, None] = {}
        # Who was refused, in the order in which they came, and where.
        self._waiting: dict[int, Address] = {}

    def admit(self, address: Address) -> bool:
        """Whether one more may be sent there now; whoever is admitted must `settle`."""
        with self._lock:
            if self._room(address) <= 0:
                return False
            self._to_host[address[0]] += 1
            self._to_address[address] += 1
            return True

    def wait(self, address: Address, dependent: int) -> None:
        """Who was not admitted waits for a place; to ask for it again before there is one would be in vain."""
        with self._lock:
            self._waiting[dependent] = address

    def wait_no_longer(self, dependent: int) -> None:
        """Who was admitted, it may be at another address than the one where it waited."""
        with self._lock:
            self._waiting.pop(dependent, None)

    def waiting(self) -> set[int]:
        """Those for whom there is no place yet."""
        with self._lock:
            return set(self._without_place())

    def release(self) -> set[int]:
        """Let those wait no longer for whom there is a place; returns the others."""
        with self._lock:
            self._waiting = self._without_place()
            return set(self._waiting)

    def settle(self, address: Address, *, has_answered: bool) -> None:
        with self._lock:
            _take_one(self._to_host, address[0])
            _take_one(self._to_address, address)
            self._silent.pop(address, None)
            if not has_answered:
                self._silent[address] = None
                if len(self._silent) > MOST_SILENT:
                    del self._silent[next(iter(self._silent))]

    def _room(self, address: Address) -> int:
        room = MOST - self._to_host[address[0]]
        if address in self._silent:
            return min(room, MOST_TO_SILENT - self._to_address[address])
        return room

    def _without_place(self) -> dict[int, Address]:
        free = {address: self._room(address) for address in set(self._waiting.values())}
        left: dict[int, Address] = {}
        for dependent, address in self._waiting.items():
            free[address] -= 1
            if free[address] < 0:
                left[dependent] = address
        return left


def _take_one(counts: Counter[Key], key: Key) -> None:
    counts[key] -= 1
    if not counts[key]:
        del counts[key]
