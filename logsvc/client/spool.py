"""A queue of lines on disk: once `append` returns, the end of the process loses no line."""

import contextlib
import errno
import os
import secrets
import threading
import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from . import segment as segments
from .claim import Claim
from .complaints import Complaints
from .memory import Memory, Remembered
from .segment import SUFFIX, AppendingWriter, MappedWriter, Segment, Writer

SEGMENT_BYTES = 1024 * 1024
# How long a disk that refused to be written is left alone.
PAUSE_AFTER_FAULT_SECONDS = 1.0
# The errors of a file system that cannot reserve or map; any other would prevent writing a plain file too.
_CANNOT_MAP = frozenset({errno.EINVAL, errno.ENODEV, errno.EOPNOTSUPP, errno.ENOMEM, errno.EPERM, errno.ENOSYS})


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Whole lines to send, and where they are from: `consumed` bytes of a segment, or entries of memory."""

    body: bytes
    segment: Segment | None = None
    consumed: int = 0
    remembered: list[Remembered] | None = None

    @property
    def lines(self) -> int:
        return self.body.count(b"\n")


class Spool:
    """A queue of lines, kept in segments in a folder of `directory` that is this process's own.

    It holds at most `max_bytes`; beyond, lines of the lowest severity are dropped first, of those the oldest, and
    counted. While nothing can be written, lines wait in memory. Any thread may append, and a signal's handler in the
    middle of that; one thread takes batches and adopts.
    """

    def __init__(
        self,
        directory: Path,
        *,
        max_bytes: int,
        complaints: Complaints,
        is_mapped: bool = True,
        segment_bytes: int = SEGMENT_BYTES,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._directory = directory
        self._segment_bytes = min(segment_bytes, max_bytes // 4)
        # Leaves room for the segment that is being written.
        self._max_bytes_closed = max_bytes - self._segment_bytes
        self._complaints = complaints
        self._is_mapped = is_mapped and hasattr(os, "posix_fallocate")
        self._clock = clock
        # Reentrant, because a signal's handler may log while its thread is appending.
        self._lock = threading.RLock()
        self._arrived: deque[tuple[bytes, int]] = deque()
        self._is_appending = False
        self._claim: Claim | None = None
        self._writer: Writer | None = None
        # Oldest first; while there is a writer it writes to the last one.
        self._segments: list[Segment] = []
        self._memory = Memory()
        self._unwritable_until = float("-inf")
        self._dropped: Counter[int] = Counter()

    def append(self, line: bytes, severity: int) -> None:
        """Append a line. Never raises; the only wait is now and then for the opening of a file."""
        with self._lock:
            self._arrived.append((line, severity))
            if self._is_appending:
                # A signal came in the middle of an append, which goes on to write this line too.
                return
            self._is_appending = True
            try:
                while self._arrived:
                    self._keep(*self._arrived.popleft())
            finally:
                self._is_appending = False

    def batch(self, at_most_bytes: int) -> Batch | None:
        """The oldest lines that are not acknowledged: as many as fit, at least one; None when there are none."""
        while True:
            with self._lock:
                segment = next((each for each in self._segments if each.unsent > 0), None)
            if segment is None:
                break
            lines = segments.read(segment, at_most_bytes)
            if body := segments.whole_lines(lines):
                return Batch(body=body, segment=segment, consumed=len(lines))
            # The last line was being written when its process was killed; or somebody removed the file.
            self._discard(segment)
        with self._lock:
            entries = self._memory.oldest(at_most_bytes)
        return Batch(body=b"".join(entry.line for entry in entries), remembered=entries) if entries else None

    def acknowledge(self, batch: Batch) -> None:
        """Remove a batch that is stored elsewhere now, or never will be."""
        with self._lock:
            if batch.remembered is not None:
                self._memory.remove(batch.remembered)
            elif batch.segment in self._segments:
                batch.segment.sent += batch.consumed
                self._forget_sent(batch.segment)

    def adopt(self) -> None:
        """Take over the segments that ended processes have left in the directory."""
        with contextlib.suppress(FileNotFoundError):
            for folder in sorted(self._directory.iterdir()):
                with contextlib.suppress(OSError):
                    self._adopt_from(folder)
        with self._lock:
            self._drop_excess()

    def take_dropped(self) -> Counter[int]:
        """Take the counts of dropped lines by severity since the last call."""
        with self._lock:
            dropped = self._dropped + self._memory.dropped
            self._dropped.clear()
            self._memory.dropped.clear()
            return dropped

    def close(self) -> None:
        """Leave unsent lines to another process. A later append begins anew."""
        with self._lock:
            self._save_memory()
            self._close_segment()
            self._segments.clear()
            claim, self._claim = self._claim, None
            if claim is not None:
                claim.release()

    def disown(self) -> None:
        """Close the parent's files in a forked child, and change nothing in them. The spool is of no use after."""
        with contextlib.suppress(OSError):
            if self._writer is not None:
                self._writer.disown()
            if self._claim is not None:
                self._claim.disown()

    def _keep(self, line: bytes, severity: int) -> None:
        writer = self._writer
        if writer is not None and writer.fits(self._segments[-1].size, line):
            try:
                writer.write(self._segments[-1].size, line)
            except OSError as error:
                self._suffer(error)
            else:
                self._segments[-1].size += len(line)
                self._segments[-1].severities[severity] += 1
                return
        self._memory.append(line, severity)
        self._save_memory()

    def _save_memory(self) -> None:
        """Write what waits in memory to new segments, as far as the disk takes it."""
        if self._clock() < self._unwritable_until:
            return
        try:
            while entries := self._memory.oldest(self._segment_bytes):
                lines = b"".join(entry.line for entry in entries)
                writer = self._open_segment(max(self._segment_bytes, len(lines)))
                writer.write(0, lines)
                self._segments[-1].size = len(lines)
                self._segments[-1].severities.update(entry.severity for entry in entries)
                self._memory.remove(entries)
        except OSError as error:
            self._suffer(error)

    def _suffer(self, error: OSError) -> None:
        self._unwritable_until = self._clock() + PAUSE_AFTER_FAULT_SECONDS
        self._complaints.say(
            "unwritable",
            f"the spool {self._directory} cannot be written ({error}): "
            "records wait in memory, and are lost if the process is killed",
        )
        with contextlib.suppress(OSError):
            self._close_segment()

    def _open_segment(self, capacity: int) -> Writer:
        self._close_segment()
        self._drop_excess()
        path = self._folder() / f"{time.time_ns():020d}-{secrets.token_hex(4)}{SUFFIX}"
        writer: Writer | None = None
        if self._is_mapped:
            try:
                writer = MappedWriter(path, capacity)
            except OSError as error:
                if error.errno not in _CANNOT_MAP:
                    raise
                self._is_mapped = False
        self._writer = writer or AppendingWriter(path, capacity)
        self._segments.append(Segment(path=path))
        return self._writer

    def _folder(self) -> Path:
        if self._claim is not None and not self._claim.folder.exists():
            self._claim.disown()
            self._claim = None
        if self._claim is None:
            self._claim = Claim.make(self._directory)
        return self._claim.folder

    def _close_segment(self) -> None:
        writer, self._writer = self._writer, None
        if writer is not None:
            last = self._segments[-1]
            # The folder may have been removed.
            with contextlib.suppress(FileNotFoundError):
                writer.close(last.size)
            self._forget_sent(last)

    def _forget_sent(self, segment: Segment) -> None:
        if segment.unsent > 0:
            return
        if self._writer is not None and segment is self._segments[-1]:
            self._writer.erase(segment.size)
            segment.size = segment.sent = 0
        else:
            self._discard(segment)

    def _discard(self, segment: Segment) -> None:
        with self._lock:
            if self._writer is not None and segment is self._segments[-1]:
                writer, self._writer = self._writer, None
                with contextlib.suppress(FileNotFoundError):
                    writer.close(segment.size)
            if segment in self._segments:
                self._segments.remove(segment)
            segment.path.unlink(missing_ok=True)

    def _closed(self) -> list[Segment]:
        return self._segments if self._writer is None else self._segments[:-1]

    def _drop_excess(self) -> None:
        """Drop the lowest severity that any closed segment holds, oldest segments first, until the rest fits."""
        while self._excess() > 0:
            self._complaints.say(
                "full", f"the spool {self._directory} is full: records are dropped, the lowest levels first"
            )
            lowest = min((min(each.severities, default=0) for each in self._closed()), default=0)
            for segment in list(self._closed()):
                if self._excess() > 0 and lowest in (segment.severities or {0: 1}):
                    self._drop(segment, lowest)

    def _excess(self) -> int:
        return sum(segment.unsent for segment in self._closed()) - self._max_bytes_closed

    def _drop(self, segment: Segment, lowest: int) -> None:
        """Drop the lines of that severity; what is left of a segment joins the one before it, where both fit in one."""
        place = self._segments.index(segment)
        before = self._segments[place - 1 : place]
        whole = segments.whole_lines(segments.read(segment, segment.unsent))
        rest = segments.without_severity(whole, lowest)
        self._dropped[lowest] += whole.count(b"\n") - rest.count(b"\n")
        if before and before[0].unsent + len(rest) <= self._segment_bytes:
            rest = segments.read(before[0], before[0].unsent) + rest
        else:
            before = []
        # A new name that sorts where the oldest of them does.
        oldest = [*before, segment][0].path
        path = oldest.with_name(f"{oldest.stem.partition('-')[0]}-{secrets.token_hex(4)}{SUFFIX}")
        try:
            kept = [segments.write(path, rest)] if rest else []
        except OSError:
            # No room for the copy: then the rest goes too.
            self._dropped += segments.count_by_severity(rest)
            kept = []
        self._segments[place - len(before) : place + 1] = kept
        # Last: a process that is killed before leaves lines twice, and the log service takes each once.
        for each in (*before, segment):
            each.path.unlink(missing_ok=True)

    def _adopt_from(self, folder: Path) -> None:
        claim = None if self._claim is not None and folder == self._claim.folder else Claim.take(folder)
        if claim is None:
            return
        try:
            for path in folder.glob(f"*{segments.UNFINISHED}"):
                path.unlink()
            for path in sorted(folder.glob(f"*{SUFFIX}")):
                lines = segments.finished_lines(path)
                if not lines:
                    path.unlink()
                    continue
                adopted = Segment(path=path, size=len(lines), severities=segments.count_by_severity(lines))
                with self._lock:
                    adopted.path = path.rename(self._folder() / path.name)
                    current = self._segments[-1] if self._writer is not None else None
                    self._segments.append(adopted)
                    # Names begin with the time, and so sort by age.
                    self._segments.sort(key=lambda segment: (segment is current, segment.path.name))
        finally:
            claim.release()
