"""The one snapshot that all threads of a process read, and that all workers of a server share through its state."""

import logging
import threading
from collections.abc import Callable
from contextlib import nullcontext

from .snapshot import Snapshot
from .state import State

logger = logging.getLogger(__name__)
Step = Callable[[Snapshot], Snapshot | None]


class Cache:
    """Reading `snapshot` takes no lock: it is replaced, never changed. `on_update` is called after each replacement."""

    def __init__(self, *, state: State | None = None, on_update: Callable[[Snapshot], None] | None = None) -> None:
        self._state = state
        self._seen = None if state is None else state.signature()
        self._on_update = on_update
        self._updated = threading.Condition()
        self.snapshot = (state.read() if state else None) or Snapshot()
        self._announce()

    def update(self, step: Step) -> bool:
        """Apply the step to the newest snapshot any worker has; False when it returns None."""
        with self._updated, self._state.locked() if self._state else nullcontext():
            self._take_from_state()
            after = step(self.snapshot)
            if after is not None and after is not self.snapshot:
                if self._state is not None:
                    try:
                        self._state.write(after)
                        self._seen = self._state.signature()
                    except OSError as error:
                        logger.warning("The providers cannot be stored on disk, only in memory: %s", error)
                self._replace(after)
        return after is not None

    def refresh(self) -> None:
        """Load what another worker has stored; costs one stat of a file when there is nothing new."""
        if self._state is not None and self._state.signature() != self._seen:
            with self._updated:
                self._take_from_state()

    def wait(self, timeout: float) -> None:
        """Wait until the snapshot is replaced, at most `timeout` seconds."""
        with self._updated:
            self._updated.wait(timeout)

    def renew_lock(self) -> None:
        """Make a new lock in a forked child: a thread of the parent's may have held the old one."""
        self._updated = threading.Condition()

    def _take_from_state(self) -> None:
        if self._state is None:
            return
        signature = self._state.signature()
        if signature == self._seen:
            return
        self._seen = signature
        found = self._state.read()
        if found is not None and found.position > self.snapshot.position:
            self._replace(found)

    def _replace(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self._announce()
        self._updated.notify_all()

    def _announce(self) -> None:
        if self._on_update is not None:
            self._on_update(self.snapshot)
