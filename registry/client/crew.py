"""The workers of one server: one of them registers it for all, and the last to leave deregisters it."""

import secrets
from pathlib import Path

from .locks import FileLock


def new_run() -> str:
    """A name for one run of a server, which tells it from the run before and the next."""
    return secrets.token_hex(8)


class Crew:
    """One worker of a server; the others are the processes with the same directory.

    `run` is the same for all of them, and known to each once it has asked whether it leads.
    """

    def __init__(self, directory: Path) -> None:
        self.run = ""
        self._directory = directory
        self._presence = FileLock(directory / "workers.lock")
        self._lead = FileLock(directory / "registrar.lock")

    def leads(self) -> bool:
        """Whether this worker registers for all; when it dies or leaves, the next worker to ask takes its place."""
        return (self._presence.is_held or self._joins()) and self._lead.acquire()

    def leave(self) -> bool:
        """Leave; returns whether this was the last worker, which holds the lock until `close`: a new one waits."""
        self._lead.release()
        self._presence.release()
        is_last = self._presence.acquire()
        if is_last:
            self._run_path.unlink(missing_ok=True)
        return is_last

    def close(self) -> None:
        self._presence.release()

    def abandon(self) -> None:
        self._presence.abandon()
        self._lead.abandon()

    @property
    def _run_path(self) -> Path:
        return self._directory / "run"

    def _joins(self) -> bool:
        """Join the crew; False while others join or the last worker of an earlier server leaves: ask again."""
        joining = FileLock(self._directory / "joining.lock")
        if not joining.acquire():
            return False
        try:
            # The only worker: a run file left by an earlier server, perhaps killed, names another run.
            if self._presence.acquire():
                self._run_path.unlink(missing_ok=True)
                self._presence.release()
            if not self._presence.acquire(shared=True):
                return False
            if not self._run_path.exists():
                self._run_path.write_text(new_run())
            self.run = self._run_path.read_text()
        finally:
            joining.release()
        return True
