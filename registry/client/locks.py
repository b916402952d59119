"""Locks between the processes of one server, held on files; the system frees those of a process that dies."""

import fcntl
import os
import time
from pathlib import Path

LOOK_AGAIN_SECONDS = 0.002


class FileLock:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    @property
    def is_held(self) -> bool:
        return self._descriptor is not None

    def acquire(self, *, shared: bool = False, wait_seconds: float = 0.0) -> bool:
        """Try to take the lock; returns whether it is held. Raises OSError when the file cannot be made."""
        if self.is_held:
            return True
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
        if not _lock(descriptor, kind, until=time.monotonic() + wait_seconds):
            os.close(descriptor)
            return False
        self._descriptor = descriptor
        return True

    def release(self) -> None:
        if self._descriptor is not None:
            # Closing alone is not enough: a child forked meanwhile may still have the file open.
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)
            self.abandon()

    def abandon(self) -> None:
        """Forget the lock in a forked child: it stays the parent's."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def _lock(descriptor: int, kind: int, *, until: float) -> bool:
    """Poll for the lock: the system's own wait has no timeout, and the process that holds it may be stopped."""
    while True:
        try:
            fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= until:
                return False
            time.sleep(LOOK_AGAIN_SECONDS)
        else:
            return True
