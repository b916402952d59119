"""Claims a folder for one process until it ends, in whatever way."""

import contextlib
import fcntl
import os
import secrets
from pathlib import Path
from typing import Self

_LOCK = "lock"


class Claim:
    """Holds the lock of `folder`. The kernel drops it with the process: then another may take the folder over."""

    def __init__(self, folder: Path, descriptor: int) -> None:
        self.folder = folder
        self._descriptor: int | None = descriptor

    @classmethod
    def make(cls, directory: Path) -> Self:
        """Claim a new folder in `directory`. Raises OSError."""
        while True:
            folder = directory / f"{os.getpid()}-{secrets.token_hex(4)}"
            folder.mkdir(mode=0o700, parents=True)
            # Another process that looks for abandoned folders may have locked this one first: make another.
            if claim := cls.take(folder):
                return claim

    @classmethod
    def take(cls, folder: Path) -> Self | None:
        """Claim a folder that exists, or None when it has a living owner, or is no more. Raises OSError."""
        try:
            descriptor = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        except (FileNotFoundError, NotADirectoryError):
            return None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        if os.fstat(descriptor).st_nlink == 0:
            # Its last owner removed it between the opening and the locking.
            os.close(descriptor)
            return None
        return cls(folder, descriptor)

    def release(self) -> None:
        """Leave the folder to another process; an empty one is removed."""
        with contextlib.suppress(OSError):
            if not any(path.name != _LOCK for path in self.folder.iterdir()):
                (self.folder / _LOCK).unlink()
                self.folder.rmdir()
        self.disown()

    def disown(self) -> None:
        """Forget the lock without ending it: for a forked child, whose parent still holds it."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)
