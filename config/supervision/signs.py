"""Watches the processes' signs of life from outside, and finds those that have shown none for too long."""

import time
from collections.abc import Callable, Collection
from pathlib import Path

from config.liveness import UNSEEN_SECONDS
from config.supervision.programs import Program
from config.supervision.supervisor import State


class Signs:
    """Compares each file with its earlier state, on a clock of its own.

    Neither a clock that was set nor a machine that slept makes a process look dead.
    """

    def __init__(self, directory: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._directory = directory
        self._clock = clock
        self._seen: dict[str, tuple[object, float]] = {}

    def lost(self, programs: Collection[Program], states: dict[str, State]) -> list[Program]:
        """The programs whose process runs and has shown no sign of life for UNSEEN_SECONDS."""
        lost = []
        for program in programs:
            if program.service is None:
                continue
            try:
                touched = (self._directory / program.sign_of_life).stat().st_mtime_ns
            except OSError:
                touched = None
            pid = states[program.name].pid
            now, sign = self._clock(), (pid, touched)
            before, since = self._seen.get(program.name, (None, now))
            if not pid or sign != before:
                self._seen[program.name] = (sign, now)
            elif now - since >= UNSEEN_SECONDS:
                # Reported once, and again only after the same time.
                self._seen[program.name] = (sign, now)
                lost.append(program)
        return lost
