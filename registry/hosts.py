"""How many webhooks may be under way to one host at once, so that a host which hangs delays nobody elsewhere."""

import threading
from collections import Counter

MOST = 1000
# To a host that last gave no answer at all.
MOST_TO_SILENT = 16
# Silent hosts that are remembered; those beyond it are given another chance.
MOST_SILENT = 10_000


class Hosts:
    """Used by several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._under_way: Counter[str] = Counter()
        self._silent: dict[str, None] = {}

    def admit(self, host: str) -> bool:
        """Whether one more may be sent there now; whoever is admitted must `settle`."""
        with self._lock:
            limit = MOST_TO_SILENT if host in self._silent else MOST
            if self._under_way[host] >= limit:
                return False
            self._under_way[host] += 1
            return True

    def settle(self, host: str, *, has_answered: bool) -> None:
        with self._lock:
            self._under_way[host] -= 1
            if not self._under_way[host]:
                del self._under_way[host]
            self._silent.pop(host, None)
            if not has_answered:
                self._remember(host)

    def _remember(self, host: str) -> None:
        self._silent[host] = None
        if len(self._silent) > MOST_SILENT:
            del self._silent[next(iter(self._silent))]
