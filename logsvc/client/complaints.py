"""What the handler has to say of itself: on stderr, because its own log is what does not work."""

import sys


class Complaints:
    """Each kind is said once in the life of a process."""

    def __init__(self) -> None:
        self._said: set[str] = set()

    def say(self, kind: str, sentence: str) -> None:
        # A program without a console has no stderr.
        if kind in self._said or sys.stderr is None:
            return
        self._said.add(kind)
        try:
            sys.stderr.write(f"logsvc.client: {sentence}\n")
        except (OSError, ValueError):
            return
