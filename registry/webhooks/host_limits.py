"""Limits how many webhooks may be under way to one host, so that a hanging host delays no other."""

import threading
from collections import Counter
from typing import TypeVar

MOST = 1000
# The limit for an address that last gave no answer at all; other addresses of its host are not affected.
MOST_TO_SILENT = 16
# The most silent addresses to remember; those beyond it get another chance.
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
        # The refused dependents, in the order in which they came, and their addresses.
        self._waiting: dict[int, Address] = {}

    def admit(self, address: Address) -> bool:
        """Whether one more may be sent there now; call `settle` for each that is admitted."""
        with self._lock:
            if self._room(address) <= 0:
                return False
            self._to_host[address[0]] += 1
            self._to_address[address] += 1
            return True

    def wait(self, address: Address, dependent: int) -> None:
        """Let a dependent that was not admitted wait for a place: it is not claimed again before there is one."""
        with self._lock:
            self._waiting[dependent] = address

    def wait_no_longer(self, dependent: int) -> None:
        """Clear a dependent's wait when it is admitted, perhaps at another address."""
        with self._lock:
            self._waiting.pop(dependent, None)

    def waiting(self) -> set[int]:
        """The dependents for which there is no place yet."""
        with self._lock:
            return set(self._without_place())

    def release(self) -> set[int]:
        """Clear the wait of dependents for which there is a place; returns the others."""
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
