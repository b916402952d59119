"""What waits to be sent while nothing can be written to disk."""

from collections import deque
from collections.abc import Sequence

MEMORY_BYTES = 8 * 1024 * 1024


class Memory:
    """A queue of lines that drops the oldest, and counts them, beyond `max_bytes`."""

    def __init__(self, max_bytes: int = MEMORY_BYTES) -> None:
        self._max_bytes = max_bytes
        self._lines: deque[bytes] = deque()
        self._bytes = 0
        self.dropped = 0

    def append(self, line: bytes) -> None:
        self._lines.append(line)
        self._bytes += len(line)
        while self._bytes > self._max_bytes:
            self._pop()
            self.dropped += 1

    def oldest(self, at_most_bytes: int) -> list[bytes]:
        """As many lines as fit, but at least one if there is any."""
        taken: list[bytes] = []
        size = 0
        for line in self._lines:
            size += len(line)
            if taken and size > at_most_bytes:
                break
            taken.append(line)
        return taken

    def remove(self, lines: Sequence[bytes]) -> None:
        """Lines that `oldest` gave; some of them may have been dropped since."""
        for line in lines:
            if self._lines and self._lines[0] is line:
                self._pop()

    def _pop(self) -> None:
        self._bytes -= len(self._lines.popleft())
