"""Listeners to a service's changes, and the providers each was given last."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from .snapshot import NOTHING_KNOWN, Snapshot
from .wire import Provider

logger = logging.getLogger(__name__)

Listener = Callable[[Sequence[Provider]], object]


@dataclass(kw_only=True)
class _Entry:
    service: str
    listener: Listener
    heard: Sequence[Provider] | None = None


class Listeners:
    def __init__(self) -> None:
        self._entries: list[_Entry] = []

    def add(self, service: str, listener: Listener) -> None:
        self._entries.append(_Entry(service=service, listener=listener))

    def tell(self, snapshot: Snapshot) -> None:
        """Call each listener whose providers have changed since its last call; a failing one stops no other."""
        if snapshot.revision == NOTHING_KNOWN:
            return
        for entry in list(self._entries):
            known = snapshot.offered.get(entry.service, ())
            if entry.heard != known:
                entry.heard = known
                try:
                    entry.listener(entry.heard or ())
                except Exception:
                    logger.exception("A listener to changes of %s failed", entry.service)
