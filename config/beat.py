"""Celery beat through a Redis that is away, or that comes back with nothing in it."""

import logging
from types import SimpleNamespace
from typing import Any

from celery.signals import beat_init
from redbeat.schedulers import RedBeatScheduler, acquire_distributed_beat_lock
from redis import exceptions
from redis.lock import Lock

logger = logging.getLogger(__name__)

_AWAY = (exceptions.ConnectionError, exceptions.TimeoutError)

# A tick takes the lock where there is none: at the start too, where it would be tried once and a failure be forgotten.
beat_init.disconnect(acquire_distributed_beat_lock)


class Scheduler(RedBeatScheduler):  # type: ignore[misc]  # redbeat carries no types
    """Goes on where redbeat ends with a traceback, to be started again by whoever supervises it."""

    lock: Lock | None = None
    _has_schedule = False
    _is_cut_off = False

    def setup_schedule(self) -> None:
        """Left to the tick that takes the lock."""

    def tick(self, **options: Any) -> float:
        try:
            seconds = self._tick(**options)
        except _AWAY as error:
            self._note(is_cut_off=True, reason=error)
            return float(self.max_interval)
        self._note(is_cut_off=False)
        return seconds

    def close(self) -> None:
        try:
            super().close()
        except (*_AWAY, exceptions.LockError):
            # It runs out by itself.
            self.lock = None
            super().close()

    def _tick(self, **options: Any) -> float:
        if self.lock is None:
            acquire_distributed_beat_lock(sender=SimpleNamespace(scheduler=self))
            self._has_schedule = False
        if not self._has_schedule:
            # By whoever has the lock: what empties Redis of the one takes the other too, which is noticed.
            super().setup_schedule()
            self._has_schedule = True
        try:
            return float(super().tick(**options))
        except exceptions.LockError:
            logger.warning(
                "The lock is lost: Redis was emptied, or another beat has taken over. It is asked for again."
            )
            self.lock = None
            return 0.0

    def _note(self, *, is_cut_off: bool, reason: Exception | None = None) -> None:
        if is_cut_off and not self._is_cut_off:
            logger.warning("Nothing is scheduled until Redis can be reached: %s", reason)
        elif self._is_cut_off and not is_cut_off:
            logger.warning("Redis can be reached again.")
        self._is_cut_off = is_cut_off
