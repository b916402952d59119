"""Celery beat that survives a Redis that is away, or comes back empty."""

import logging
import math
import threading
import time
from typing import Any, cast

from celery import bootsteps
from celery.beat import Service
from celery.signals import beat_init
from redbeat.schedulers import (
    LUA_EXTEND_TO_SCRIPT,
    RedBeatScheduler,
    RedBeatSchedulerEntry,
    acquire_distributed_beat_lock,
    get_redis,
)
from redis import exceptions
from redis.lock import Lock

from config.liveness import Pulse

logger = logging.getLogger(__name__)

# An entry whose due time lies further ahead than its interval and this was scheduled before the clock was set back.
CLOCK_SECONDS = 2.0
_AWAY = (exceptions.ConnectionError, exceptions.TimeoutError)

# The tick takes the lock, at the start too: redbeat would try it there once and forget a failure.
beat_init.disconnect(acquire_distributed_beat_lock)


class InWorker(bootsteps.StartStopStep):
    """Beat in a thread of a worker that is started `--with-beat`: one process less, with all that it imports."""

    requires = ("celery.worker.components:Pool",)

    def __init__(self, worker: Any, with_beat: bool = False, **members: Any) -> None:
        self.enabled = with_beat
        # Named, or it would keep its schedule in a file, and tick beside every other beat.
        self.service = Service(worker.app, scheduler_cls=worker.app.conf.beat_scheduler)
        super().__init__(worker, **members)

    def start(self, worker: Any) -> None:
        # Separate from the worker's sign of life, so that neither hides that the other makes no progress.
        pulse = Pulse()
        pulse.watch(None)
        cast("Scheduler", self.service.scheduler).pulse = pulse
        threading.Thread(target=self.service.start, name="beat", daemon=True).start()

    def stop(self, worker: Any) -> None:
        self.service.stop(wait=True)


class Scheduler(RedBeatScheduler):  # type: ignore[misc]  # redbeat carries no types
    """Goes on where redbeat would end with a traceback; stands by while another beat holds the lock."""

    # The process's own sign of life, if beat is all that it does.
    pulse: Pulse | None = None
    lock: Lock | None = None
    _has_schedule = False
    _is_cut_off = False

    def setup_schedule(self) -> None:
        """Do nothing yet: the tick that takes the lock sets the schedule up."""

    def tick(self, **options: Any) -> float:
        # A standby, and a beat that waits for Redis, makes progress with each try.
        (self.pulse or self.app.pulse).beat()
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
            # The lock expires by itself.
            self.lock = None
            super().close()

    def _tick(self, **options: Any) -> float:
        if self.lock is None:
            # As redbeat takes it, but without waiting for another beat: a process that waits shows no sign of life.
            client = get_redis(self.app)
            lock: Lock = client.lock(self.lock_key, timeout=self.lock_timeout)
            # Redis-py's script adds to the remaining time; this one sets it.
            lock.lua_extend = client.register_script(LUA_EXTEND_TO_SCRIPT)
            self.lock = lock if lock.acquire(blocking=False) else None
            self._has_schedule = False
            if self.lock is None:
                # Redis keeps its end as a time: set back, its clock would keep the lock of a beat that is gone.
                if client.pttl(self.lock_key) > 1000 * self.lock_timeout:
                    client.pexpire(self.lock_key, int(1000 * self.lock_timeout))
                return float(self.max_interval)
        if not self._has_schedule:
            # After the lock: whatever removes the schedule from Redis also removes the lock, which is noticed.
            super().setup_schedule()
            self._has_schedule = True
        if self._waits_for_the_old_time():
            logger.warning("The clock was set back: everything that is scheduled is due now.")
            super().setup_schedule()
        try:
            return float(super().tick(**options))
        except exceptions.LockError:
            logger.warning(
                "The lock is lost: Redis was emptied, or another beat has taken over. Trying to take it again."
            )
            self.lock = None
            return 0.0

    def _waits_for_the_old_time(self) -> bool:
        """Forget when entries last ran, if one is due later than its interval allows; returns whether it was so."""
        client, schedule_key = get_redis(self.app), self.app.redbeat_conf.schedule_key
        due_at = dict(client.zrange(schedule_key, 0, -1, withscores=True))
        latest = {
            RedBeatSchedulerEntry.generate_key(self.app, name): time.time() + float(entry["schedule"]) + CLOCK_SECONDS
            for name, entry in self.app.conf.beat_schedule.items()
        }
        if all(at <= latest.get(key, math.inf) for key, at in due_at.items()):
            return False
        client.delete(schedule_key, *due_at)
        return True

    def _note(self, *, is_cut_off: bool, reason: Exception | None = None) -> None:
        if is_cut_off and not self._is_cut_off:
            logger.warning("Nothing is scheduled until Redis can be reached: %s", reason)
        elif self._is_cut_off and not is_cut_off:
            logger.warning("Redis can be reached again.")
        self._is_cut_off = is_cut_off
