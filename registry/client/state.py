"""The files that an instance keeps: the last known providers, and the secret that signs its webhooks."""

import json
import logging
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, replace
from pathlib import Path

from .decoding import decode
from .errors import UnexpectedAnswerError
from .locks import FileLock
from .snapshot import Snapshot
from .webhook import new_secret
from .wire import Registration

logger = logging.getLogger(__name__)
# Far longer than writing the providers takes.
LOCK_SECONDS = 1.0

Signature = tuple[int, int, int]


def directory_of(registration: Registration, state_dir: Path | str) -> Path:
    """The directory of one instance; several may share a `state_dir`."""
    return Path(state_dir) / f"{registration.service}.{registration.instance}"


class State:
    """One instance's directory, shared by the workers of its server. Raises OSError when it cannot be made."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.directory = directory
        self._path = directory / "providers.json"

    def signature(self) -> Signature | None:
        """Changes whenever the snapshot is written; None while there is none."""
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_ino, found.st_size

    def read(self) -> Snapshot | None:
        """The stored snapshot; None when there is none or it is damaged, as the registry has it too."""
        try:
            return decode(Snapshot, json.loads(self._path.read_bytes()))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, RecursionError, UnexpectedAnswerError) as error:
            logger.warning("The providers stored in %s cannot be read and are ignored: %s", self._path, error)
            return None

    def write(self, snapshot: Snapshot) -> None:
        """Store the snapshot atomically. Raises OSError."""
        draft = _draft(self._path, json.dumps(asdict(snapshot)).encode())
        try:
            # Later than the one before: a system's own clock for files may stand still for some milliseconds, in which
            # the number of one file comes back as that of the next but one.
            before = self.signature()
            written_ns = max(time.time_ns(), before[0] + 1 if before else 0)
            os.utime(draft, ns=(written_ns, written_ns))
            draft.replace(self._path)
        except OSError:
            draft.unlink(missing_ok=True)
            raise

    def secret(self) -> str:
        """The secret, made once and shared by restarts and workers. Raises OSError."""
        path = self.directory / "secret"
        if not path.exists():
            draft = _draft(path, new_secret().encode())
            # The first of two workers that start at once wins.
            with suppress(FileExistsError):
                os.link(draft, path)
            draft.unlink()
        return path.read_text()

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other workers from changing the snapshot; a worker that never finishes is not waited for."""
        lock = FileLock(self.directory / "providers.lock")
        try:
            if not lock.acquire(wait_seconds=LOCK_SECONDS):
                logger.warning("The providers stored in %s are locked by a stopped process", self.directory)
        except OSError as error:
            logger.warning("The providers stored in %s cannot be locked: %s", self.directory, error)
        try:
            yield
        finally:
            lock.release()


def with_secret(registration: Registration, state: State | None) -> Registration:
    """Add the stored secret, or a new one, to a registration that takes webhooks and names none."""
    if not registration.notify_url or registration.notify_secret:
        return registration
    return replace(registration, notify_secret=state.secret() if state else new_secret())


def _draft(path: Path, content: bytes) -> Path:
    draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    return draft
