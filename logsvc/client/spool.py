"""What waits to be sent, on disk: the end of the process cannot hurt it from the moment `append` returns."""

import contextlib
import os
import secrets
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from .claim import Claim
from .complaints import Complaints
from .memory import Memory

SEGMENT_BYTES = 1024 * 1024
_SUFFIX = ".ndjson"


@dataclass(kw_only=True, eq=False)
class Segment:
    """A file of lines; those before `sent` have been acknowledged."""

    path: Path
    size: int = 0
    sent: int = 0


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Whole lines to send, and where they are from: the next of a segment, or of memory."""

    body: bytes
    segment: Segment | None = None
    remembered: list[bytes] | None = None

    @property
    def lines(self) -> int:
        return self.body.count(b"\n")


class Spool:
    """A queue of lines, kept in segments in a folder of `directory` that is this process's own.

    It holds at most `max_bytes`; beyond, the oldest segment is dropped and its lines are counted. While nothing can be
    written, lines wait in memory. Any thread may append; one thread takes batches and adopts.
    """

    def __init__(self, directory: Path, *, max_bytes: int, complaints: Complaints) -> None:
        self._directory = directory
        self._segment_bytes = min(SEGMENT_BYTES, max_bytes // 4)
        # Leaves room for the segment that is being written.
        self._max_bytes_closed = max_bytes - self._segment_bytes
        self._complaints = complaints
        # Reentrant, because a signal's handler may log while its thread is appending.
        self._lock = threading.RLock()
        self._claim: Claim | None = None
        self._descriptor: int | None = None
        # Oldest first; while there is a descriptor it writes to the last one.
        self._segments: list[Segment] = []
        self._memory = Memory()
        self._dropped = 0

    def append(self, line: bytes) -> None:
        """Never raises, and waits for nothing but the operating system's cache of the disk."""
        with self._lock:
            try:
                self._write(line)
            except OSError as error:
                self._complaints.say(
                    "unwritable", f"the spool {self._directory} cannot be written ({error}): records wait in memory"
                )
                self._memory.append(line)

    def batch(self, at_most_bytes: int) -> Batch | None:
        """The oldest lines that are not acknowledged: as many as fit, at least one; None when there are none."""
        while segment := self._oldest():
            if body := _read(segment, at_most_bytes):
                return Batch(body=body, segment=segment)
            # The last line was being written when its process was killed; or somebody removed the file.
            self._discard(segment)
        with self._lock:
            lines = self._memory.oldest(at_most_bytes)
        return Batch(body=b"".join(lines), remembered=lines) if lines else None

    def acknowledge(self, batch: Batch) -> None:
        """The batch is kept elsewhere now, or never will be: forget it here."""
        with self._lock:
            if batch.remembered is not None:
                self._memory.remove(batch.remembered)
            elif batch.segment in self._segments:
                batch.segment.sent += len(batch.body)
                self._forget_sent(batch.segment)

    def adopt(self) -> None:
        """Take over what processes that are no more have left behind in the directory."""
        with contextlib.suppress(FileNotFoundError):
            for folder in sorted(self._directory.iterdir()):
                with self._lock, contextlib.suppress(OSError):
                    self._adopt_from(folder)
        self._drop_excess()

    def take_dropped(self) -> int:
        """How many lines were dropped since this was last asked."""
        with self._lock:
            dropped = self._dropped + self._memory.dropped
            self._dropped = self._memory.dropped = 0
            return dropped

    def close(self) -> None:
        """Leave what has not been sent to another process. An append after this begins anew."""
        with self._lock:
            self._close_segment()
            self._segments.clear()
            claim, self._claim = self._claim, None
            if claim is not None:
                claim.release()

    def disown(self) -> None:
        """For a forked child: close the parent's files and change nothing in them. The spool is of no use after."""
        with contextlib.suppress(OSError):
            self._close_descriptor()
            if self._claim is not None:
                self._claim.disown()

    def _write(self, line: bytes) -> None:
        if self._descriptor is None or self._segments[-1].size >= self._segment_bytes:
            self._open_segment()
        assert self._descriptor is not None
        if os.write(self._descriptor, line) < len(line):
            # Only the end of a file may hold a part of a line: what follows goes to another.
            self._close_segment()
            raise OSError("the disk is full")
        self._segments[-1].size += len(line)

    def _open_segment(self) -> None:
        self._close_segment()
        self._drop_excess()
        path = self._folder() / f"{time.time_ns():020d}-{secrets.token_hex(4)}{_SUFFIX}"
        self._descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL, 0o600)
        self._segments.append(Segment(path=path))

    def _folder(self) -> Path:
        if self._claim is not None and not self._claim.folder.exists():
            self._claim.disown()
            self._claim = None
        if self._claim is None:
            self._claim = Claim.make(self._directory)
        return self._claim.folder

    def _close_segment(self) -> None:
        if self._descriptor is not None:
            self._close_descriptor()
            self._forget_sent(self._segments[-1])

    def _close_descriptor(self) -> None:
        # In this order, so that a child forked in between never closes a number that means another file by then.
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)

    def _forget_sent(self, segment: Segment) -> None:
        if segment.sent < segment.size:
            return
        if self._descriptor is not None and segment is self._segments[-1]:
            os.ftruncate(self._descriptor, 0)
            segment.size = segment.sent = 0
        else:
            self._discard(segment)

    def _discard(self, segment: Segment) -> None:
        with self._lock:
            if self._descriptor is not None and segment is self._segments[-1]:
                self._close_descriptor()
            if segment in self._segments:
                self._segments.remove(segment)
            segment.path.unlink(missing_ok=True)

    def _oldest(self) -> Segment | None:
        with self._lock:
            return next((segment for segment in self._segments if segment.sent < segment.size), None)

    def _drop_excess(self) -> None:
        while segment := self._excess():
            # Outside the lock: whoever appends need not wait for the reading of what was adopted.
            lines = _read(segment, segment.size).count(b"\n")
            segment.path.unlink(missing_ok=True)
            with self._lock:
                self._dropped += lines
            self._complaints.say("full", f"the spool {self._directory} is full: the oldest records are dropped")

    def _excess(self) -> Segment | None:
        with self._lock:
            closed = self._segments if self._descriptor is None else self._segments[:-1]
            if sum(segment.size for segment in closed) <= self._max_bytes_closed:
                return None
            return self._segments.pop(0)

    def _adopt_from(self, folder: Path) -> None:
        claim = None if self._claim is not None and folder == self._claim.folder else Claim.take(folder)
        if claim is None:
            return
        try:
            for path in sorted(folder.glob(f"*{_SUFFIX}")):
                self._take_over(path)
        finally:
            claim.release()

    def _take_over(self, path: Path) -> None:
        if path.stat().st_size == 0:
            path.unlink()
            return
        target = self._folder() / path.name
        path.rename(target)
        current = self._segments[-1] if self._descriptor is not None else None
        self._segments.append(Segment(path=target, size=target.stat().st_size))
        # Names begin with the time, and so sort by age.
        self._segments.sort(key=lambda segment: (segment is current, segment.path.name))


def _read(segment: Segment, at_most_bytes: int) -> bytes:
    """Whole lines after those that were sent; b"" when there are none, or the file is gone. Raises OSError."""
    try:
        with segment.path.open("rb") as file:
            file.seek(segment.sent)
            lines = file.read(min(at_most_bytes, segment.size - segment.sent))
            if b"\n" not in lines:
                lines += file.readline()
    except FileNotFoundError:
        return b""
    return lines[: lines.rfind(b"\n") + 1]
