"""Holds lines in memory while nothing can be written to disk."""

from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass
from heapq import merge

MEMORY_BYTES = 8 * 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class Remembered:
    number: int
    line: bytes
    severity: int


class Memory:
    """A queue of lines. Beyond MEMORY_BYTES it drops the lowest severity first, of that the oldest, and counts."""

    def __init__(self) -> None:
        self._by_severity: dict[int, deque[Remembered]] = {}
        self._bytes = 0
        self._appended = 0
        self.dropped: Counter[int] = Counter()

    def append(self, line: bytes, severity: int) -> None:
        self._appended += 1
        entry = Remembered(number=self._appended, line=line, severity=severity)
        self._by_severity.setdefault(severity, deque()).append(entry)
        self._bytes += len(line)
        while self._bytes > MEMORY_BYTES:
            lowest = min(self._by_severity)
            self._pop(lowest)
            self.dropped[lowest] += 1

    def oldest(self, at_most_bytes: int) -> list[Remembered]:
        """The oldest lines, as many as fit, but at least one if there is any."""
        taken: list[Remembered] = []
        size = 0
        for entry in merge(*self._by_severity.values(), key=lambda each: each.number):
            size += len(entry.line)
            if taken and size > at_most_bytes:
                break
            taken.append(entry)
        return taken

    def remove(self, entries: Sequence[Remembered]) -> None:
        """Remove lines that `oldest` returned; some may have been dropped since."""
        for entry in entries:
            queue = self._by_severity.get(entry.severity)
            if queue and queue[0] is entry:
                self._pop(entry.severity)

    def _pop(self, severity: int) -> None:
        queue = self._by_severity[severity]
        self._bytes -= len(queue.popleft().line)
        if not queue:
            del self._by_severity[severity]
