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

    def admit(self, address: Address) -> bool:
        """Whether one more may be sent there now; whoever is admitted must `settle`."""
        host, _ = address
        with self._lock:
            if self._to_host[host] >= MOST:
                return False
            if address in self._silent and self._to_address[address] >= MOST_TO_SILENT:
                return False
            self._to_host[host] += 1
            self._to_address[address] += 1
            return True

    def settle(self, address: Address, *, has_answered: bool) -> None:
        with self._lock:
            _take_one(self._to_host, address[0])
            _take_one(self._to_address, address)
            self._silent.pop(address, None)
            if not has_answered:
                self._remember(address)

    def _remember(self, address: Address) -> None:
        self._silent[address] = None
        if len(self._silent) > MOST_SILENT:
            del self._silent[next(iter(self._silent))]


def _take_one(counts: Counter[Key], key: Key) -> None:
    counts[key] -= 1
    if not counts[key]:
        del counts[key]
