"""Ends a process whose own loop makes no progress, so that its supervisor starts another.

Each process beats where its work goes on: a worker when Redis has answered it, beat at each tick, a service once a
second on its event loop. A thread watches the beats, and the supervisor watches a file in case this process cannot
even run a thread.
"""

import logging
import os
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

# How long a process may make no progress before it ends itself, and how long within one task.
STALL_SECONDS = 60.0
TASK_STALL_SECONDS = 600.0
LOOK_SECONDS = 5.0
# How long before the supervisor ends it, which is after it would have ended itself.
UNSEEN_SECONDS = TASK_STALL_SECONDS + 30.0
# The file is touched at most this often.
TOUCH_SECONDS = 1.0
STALLED = 70

logger = logging.getLogger(__name__)


class Pulse:
    """Safe to share between threads: each member is written as a whole."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._path: Path | None = None
        self._beat_at = clock()
        self._touched_at = -TOUCH_SECONDS
        self._limit_seconds = STALL_SECONDS
        self._is_watched = False

    def beat(self, *, limit_seconds: float | None = None) -> None:
        """Note progress, and how long there may be none now."""
        self._beat_at = now = self._clock()
        if limit_seconds is not None:
            self._limit_seconds = limit_seconds
        if self._path is not None and now - self._touched_at >= TOUCH_SECONDS:
            self._touched_at = now
            try:
                os.utime(self._path)
            except OSError:
                try:
                    self._path.touch()
                except OSError as error:
                    # A full disk: the next beat tries again, and the supervisor waits long.
                    logger.warning("The sign of life %s cannot be written: %s", self._path, error)

    @property
    def stalled_seconds(self) -> float:
        """The seconds without progress, when they are too many; else 0."""
        seconds = self._clock() - self._beat_at
        return seconds if seconds > self._limit_seconds else 0.0

    def watch(self, path: Path | None, *, end: Callable[[], None] | None = None) -> None:
        """Begin to touch `path`, and to end this process when there is no progress."""
        self._path = path
        self.beat()
        if self._is_watched:
            return
        self._is_watched = True
        # Not sys.exit, which would wait for the threads that hang.
        args = (end or partial(os._exit, STALLED),)
        threading.Thread(target=self._look, args=args, name="liveness", daemon=True).start()

    def _look(self, end: Callable[[], None]) -> None:
        pause = threading.Event()
        while not pause.wait(LOOK_SECONDS):
            if seconds := self.stalled_seconds:
                logger.critical("No progress for %.0f s: this process ends, to be started again", seconds)
                end()
                return
