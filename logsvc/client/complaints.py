"""Prints the handler's own troubles on stderr: its log is what does not work."""

import sys
import time
from dataclasses import dataclass

INTERVAL_SECONDS = 300.0


@dataclass(kw_only=True)
class _Kind:
    said_at: float
    suppressed: int = 0


class Complaints:
    """Says each kind of complaint at most once in five minutes, and then how often it came in between."""

    def __init__(self) -> None:
        self._kinds: dict[str, _Kind] = {}

    def say(self, kind: str, sentence: str) -> None:
        now = time.monotonic()
        known = self._kinds.get(kind)
        if known is not None and now - known.said_at < INTERVAL_SECONDS:
            known.suppressed += 1
            return
        repeats = f" (and {known.suppressed} times since this was last said)" if known and known.suppressed else ""
        self._kinds[kind] = _Kind(said_at=now)
        # A program without a console has no stderr.
        if sys.stderr is None:
            return
        try:
            sys.stderr.write(f"logsvc.client: {sentence}{repeats}\n")
        except (OSError, ValueError):
            return
