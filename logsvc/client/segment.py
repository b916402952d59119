"""Writes and reads the files of the spool.

A line is copied into a file that is mapped into memory. What is in the mapping belongs to the kernel, so that a killed
process loses none of it, and the copy is no system call: it takes 0.3 microseconds, where `write` takes 1, and up to a
thousand times as long beside a busy thread, because `write` gives the interpreter's lock away
(bench/bench_log_client.py). The file's room is reserved before it is mapped, or a full disk would kill the process.
"""

import mmap
import os
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from .line import severity

SUFFIX = ".ndjson"
UNFINISHED = ".unfinished"


@dataclass(kw_only=True, eq=False)
class Segment:
    """A file of lines; those before `sent` have been acknowledged, and nothing counts beyond `size`.

    `severities` counts the lines that were ever written, by the number of their level.
    """

    path: Path
    size: int = 0
    sent: int = 0
    severities: Counter[int] = field(default_factory=Counter)

    @property
    def unsent(self) -> int:
        return self.size - self.sent


class Writer(Protocol):
    """Writes one segment. Every method but `fits` may raise OSError."""

    capacity: int

    def fits(self, size: int, line: bytes) -> bool: ...

    def write(self, size: int, line: bytes) -> None:
        """Put `line` after the first `size` bytes."""

    def erase(self, size: int) -> None:
        """Erase the first `size` bytes, which are all that was written."""

    def close(self, size: int) -> None:
        """Let the file end after `size` bytes."""

    def disown(self) -> None:
        """Close the file in a forked child, and change nothing in it."""


class MappedWriter:
    def __init__(self, path: Path, capacity: int) -> None:
        self.capacity = capacity
        self._path = path
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            os.posix_fallocate(descriptor, 0, capacity)
            self._mapping = mmap.mmap(descriptor, capacity)
        except (OSError, ValueError):
            path.unlink(missing_ok=True)
            raise
        finally:
            os.close(descriptor)

    def fits(self, size: int, line: bytes) -> bool:
        return size + len(line) <= self.capacity

    def write(self, size: int, line: bytes) -> None:
        self._mapping[size : size + len(line)] = line

    def erase(self, size: int) -> None:
        self._mapping[:size] = bytes(size)

    def close(self, size: int) -> None:
        # In this order: to touch what a file no longer has would kill the process.
        self._mapping.close()
        os.truncate(self._path, size)

    def disown(self) -> None:
        self._mapping.close()


class AppendingWriter:
    """Writes with `write`, for systems that cannot map a file or reserve its room."""

    def __init__(self, path: Path, capacity: int) -> None:
        self.capacity = capacity
        self._descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL, 0o600)

    def fits(self, size: int, line: bytes) -> bool:
        return size + len(line) <= self.capacity

    def write(self, size: int, line: bytes) -> None:
        if os.write(self._descriptor, line) < len(line):
            # Only the end of a file may hold a part of a line.
            os.ftruncate(self._descriptor, size)
            raise OSError("the disk is full")

    def erase(self, size: int) -> None:
        os.ftruncate(self._descriptor, 0)

    def close(self, size: int) -> None:
        self.disown()

    def disown(self) -> None:
        # In this order, so that a child forked in between never closes a number that means another file by then.
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)


def read(segment: Segment, at_most_bytes: int) -> bytes:
    """Read whole lines after those that were sent; b"" when there are none, or the file is gone. Raises OSError."""
    try:
        with segment.path.open("rb") as file:
            file.seek(segment.sent)
            lines = file.read(min(at_most_bytes, segment.unsent))
            if b"\n" not in lines:
                lines += file.readline(segment.unsent - len(lines))
    except FileNotFoundError:
        return b""
    return lines[: lines.rfind(b"\n") + 1]


def whole_lines(lines: bytes) -> bytes:
    """Drop the lines that a killed process had not finished: their missing part is zeros."""
    if b"\0" not in lines:
        return lines
    # Not by splitlines, which ends a line at a carriage return too and would keep what follows it.
    return b"".join(line + b"\n" for line in lines.split(b"\n")[:-1] if b"\0" not in line)


def finished_lines(path: Path) -> bytes:
    """The file up to the end of its last line; the rest was reserved, or was being written when its process died."""
    content = path.read_bytes()
    return content[: content.rfind(b"\n") + 1]


def write(path: Path, lines: bytes) -> Segment:
    """Write a new segment of these lines, whole or not at all. Raises OSError."""
    unfinished = path.with_suffix(UNFINISHED)
    try:
        unfinished.write_bytes(lines)
        unfinished.rename(path)
    except OSError:
        unfinished.unlink(missing_ok=True)
        raise
    return Segment(path=path, size=len(lines), severities=count_by_severity(lines))


def count_by_severity(lines: bytes) -> Counter[int]:
    return Counter(severity(line) for line in lines.splitlines())


def without_severity(lines: bytes, lowest: int) -> bytes:
    return b"".join(line for line in lines.splitlines(keepends=True) if severity(line) != lowest)
