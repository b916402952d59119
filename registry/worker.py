"""One worker process of the registry: its state between tasks, and its sweeps when no task comes."""

import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property

import redis
from django.db import Error, close_old_connections
from django.utils import timezone

from registry import wakeups
from registry.health import watchdog
from registry.health.watchdog import Part, Signer
from registry.health.worker import HeartbeatWorker
from registry.webhooks.worker import WebhookWorker

# When no sweep has been made for this long, a live worker makes it, and as a last resort the serving process.
WORKER_PATIENCE_SECONDS = 3.0
SERVER_PATIENCE_SECONDS = 6.0
LOOK_SECONDS = 1.0
# Longer than any probe or webhook may take.
STALLED_SECONDS = 180.0
# How long it may take to end in good order.
END_SECONDS = 10.0

logger = logging.getLogger(__name__)


class Worker:
    """Its halves are made when first needed, so that a worker of one queue keeps nothing of the other's."""

    def __init__(self) -> None:
        self._signer = Signer()
        # A task and the stand-in take turns.
        self._sweeping = threading.Lock()
        self._stand_in: StandIn | None = None
        self._listener: Listener | None = None

    @cached_property
    def heartbeats(self) -> HeartbeatWorker:
        return HeartbeatWorker(self._signer)

    @cached_property
    def webhooks(self) -> WebhookWorker:
        return WebhookWorker()

    def sweep_heartbeats(self, *, is_tick: bool = False) -> None:
        """Carry out the task; `is_tick` when beat called it rather than a commit."""
        self._begin_task(wakeups.HEARTBEATS, is_tick=is_tick)
        self.probe()

    def sweep_notifications(self, *, is_tick: bool = False) -> None:
        """The same as `sweep_heartbeats`, for webhooks."""
        self._begin_task(wakeups.NOTIFICATIONS, is_tick=is_tick)
        self.tell()

    def probe(self) -> None:
        """Sweep the heartbeats."""
        with self._sweeping:
            self.heartbeats.sweep(now=time.time())

    def tell(self) -> None:
        """Sweep the webhooks."""
        with self._sweeping:
            self._signer.leave(Part.WEBHOOKS, now=time.time())
            self.webhooks.sweep(now=timezone.now())

    def stand_by(self, *, patience_seconds: float) -> None:
        """Begin to make sweeps that no other process makes, and to end this process when its loops make no progress."""
        self._stand_in = StandIn(self, patience_seconds=patience_seconds)
        self._stand_in.start()

    def listen(self, tasks: Sequence[str]) -> None:
        """Begin to sweep as soon as a commit calls for one of these tasks."""
        self._listener = Listener({wakeups.HEARTBEATS: self.probe, wakeups.NOTIFICATIONS: self.tell}, tasks)
        self._listener.start()

    def stalled(self) -> str | None:
        """The reason to restart this process, in a sentence; None while its loops make progress."""
        for half, what in (("heartbeats", "probe"), ("webhooks", "webhook")):
            # Only halves that exist: asking must not make one.
            made = self.__dict__.get(half)
            if made is not None and made.pipeline.is_stalled(STALLED_SECONDS):
                return f"No {what} has come to an end for {STALLED_SECONDS:g} s"
        return None

    def end(self) -> None:
        """Sweep no more, end what is under way, and write what would be lost with the process."""
        for thread in (self._listener, self._stand_in):
            if thread is not None:
                thread.stop()
        # Only halves that exist: ending must not make one.
        if "webhooks" in self.__dict__:
            self.webhooks.pipeline.stop()
        if "heartbeats" in self.__dict__:
            self.heartbeats.end()

    def _begin_task(self, name: str, *, is_tick: bool) -> None:
        wakeups.acknowledge(name)
        if is_tick:
            self._signer.leave(Part.BEAT, now=time.time())


class Listener:
    """A thread that makes a sweep at each call of `wakeups`; beat's ticks are tasks, and make what no call came for."""

    def __init__(self, sweeps: Mapping[str, Callable[[], None]], tasks: Sequence[str]) -> None:
        self._sweeps = sweeps
        self._tasks = tasks
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="listener", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._is_over.set()

    def look(self) -> str | None:
        """Wait a moment for a call, and make the sweep that it is for; returns which task was called."""
        task = wakeups.taken(self._tasks)
        if task is not None:
            close_old_connections()
            self._sweeps[task]()
        return task

    def _run(self) -> None:
        while not self._is_over.is_set():
            try:
                self.look()
            except redis.RedisError:
                # Logged where workers are called; beat's ticks, or the stand-in, go on.
                self._is_over.wait(wakeups.RETRY_SECONDS)
            except Error as error:
                logger.warning("The database is away: %s", error)
            except Exception:
                logger.exception("A sweep that was called for failed: beat's next tick makes it")


class StandIn:
    """Checks every second whether the sweeps are made, and makes them when no other process does.

    So a stopped beat, a worker without its broker, or a Redis that is away costs seconds, not the sweeps.
    """

    def __init__(
        self,
        worker: Worker,
        *,
        patience_seconds: float,
        end_process: Callable[[], None] | None = None,
        began_at: float | None = None,
    ) -> None:
        self._worker = worker
        self._patience_seconds = patience_seconds
        self._end_process = end_process or end_process_soon
        self._began_at = time.time() if began_at is None else began_at
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="stand-in", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._is_over.set()

    def look(self, *, now: float) -> list[Part]:
        """Make the sweeps that are overdue; returns which."""
        made = []
        for part, sweep in ((Part.HEARTBEATS, self._worker.probe), (Part.WEBHOOKS, self._worker.tell)):
            age = watchdog.age_seconds(part, now=now)
            # The workers of a fresh registry get as long to begin.
            if (now - self._began_at if age is None else age) >= self._patience_seconds:
                sweep()
                made.append(part)
        why = self._worker.stalled()
        if why is not None:
            logger.critical("%s: this process ends, to be started again", why)
            self._end_process()
        return made

    def _run(self) -> None:
        while not self._is_over.wait(LOOK_SECONDS):
            try:
                close_old_connections()
                self.look(now=time.time())
            except Error as error:
                logger.warning("The database is away: %s", error)
            except Exception:
                logger.exception("The stand-in for a worker could not make the sweeps")


def end_process_soon() -> None:
    """End this process in good order, or by force after a while."""
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(END_SECONDS)
    os._exit(1)
