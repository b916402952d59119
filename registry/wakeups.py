"""Wakes the workers after a commit: one task however many commits, because the task finds all there is to do.

The database is the truth. A wake-up that is lost (Redis away, flushed) costs the time until beat's next tick.
"""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import redis
from django.apps import apps
from kombu.exceptions import OperationalError

logger = logging.getLogger(__name__)

# Longer than a task waits in a busy queue, and short enough to make up for a lost one.
PENDING_SECONDS = 5
RETRY_SECONDS = 1.0
# The channel that tells processes that serve reads that the journal has grown. A message is only a hint to look.
REVISIONS_CHANNEL = "rollcall:registry:revisions"
# The Celery queues of the registry's tasks.
QUEUES = ("registry", "registry.heartbeats")
HEARTBEATS = "registry.tasks.sweep_heartbeats"
NOTIFICATIONS = "registry.tasks.sweep_notifications"
_TASKS = (HEARTBEATS, NOTIFICATIONS)


@dataclass(frozen=True, kw_only=True)
class Backlog:
    """The messages that wait in each queue, and since when (in seconds since the epoch) each woken task has."""

    lengths: dict[str, int]
    waiting_since: dict[str, float]


class Wakeups:
    """One process's listeners, and its connection to Redis.

    While Redis is away, it is tried once a second, and that is logged once: no commit waits for it.
    """

    def __init__(
        self,
        server: redis.Redis,
        *,
        send_task: Callable[..., Any],
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self._redis = server
        self._send_task = send_task
        self._clock = clock
        self._wall_clock = wall_clock
        self.listeners: list[Callable[[int], None]] = []
        # When Redis is tried again; None while it answers.
        self._retry_at: float | None = None
        # The background's pending work, the newest of each kind; None when there is no background.
        self._pending: dict[str, Callable[[], None]] | None = None
        self._has_pending = threading.Condition()

    def run_in_background(self) -> None:
        """Speak to Redis in a thread of its own from now on, so that no commit waits for it.

        What the process takes along when it ends is found at beat's next tick.
        """
        self._pending = {}
        threading.Thread(target=self._run, name="wakeups", daemon=True).start()

    def wake(self, task: str) -> None:
        """Enqueue the task, unless it is pending already."""
        self._do(task, partial(self._wake, task))

    def _wake(self, task: str) -> None:
        if self._is_away():
            return
        try:
            if self._redis.set(_flag(task), 1, nx=True, ex=PENDING_SECONDS):
                self._send_task(task, retry=False)
                # Outlives the flag, which runs out: the age of the oldest call that no worker has answered.
                self._redis.set(_waiting(task), self._wall_clock(), nx=True)
        except (redis.RedisError, OperationalError, OSError) as error:
            self._begin_outage(error)
        else:
            if self._retry_at is not None:
                logger.info("Redis is back")
                self._retry_at = None

    def acknowledge(self, task: str) -> None:
        """The task has begun: a change committed from now on needs another. Call it before looking for work."""
        try:
            self._redis.delete(_flag(task), _waiting(task))
        except redis.RedisError as error:
            logger.warning("Redis is away, so that %s runs by beat's ticks alone: %s", task, error)

    def announce(self, revision: int) -> None:
        """Announce, in this process and others, that the journal has reached `revision`.

        Call it after the commit. When it is lost, they notice at their next look at the database.
        """
        for listener in tuple(self.listeners):
            try:
                listener(revision)
            except Exception:
                # The change is stored: its author must not get an error.
                logger.exception("A listener could not be told of revision %d", revision)
        self._do(REVISIONS_CHANNEL, partial(self._publish, revision))

    def _publish(self, revision: int) -> None:
        if self._is_away():
            return
        try:
            self._redis.publish(REVISIONS_CHANNEL, revision)
        except (redis.RedisError, OSError) as error:
            self._begin_outage(error)

    def listen(self, listener: Callable[[int], None]) -> Callable[[], None]:
        """Call `listener` with each announced revision, in the committing thread; returns a function that ends that."""
        self.listeners.append(listener)
        return lambda: self.listeners.remove(listener)

    def backlog(self) -> Backlog:
        """Raises redis.RedisError."""
        found = self._redis.mget([_waiting(name) for name in _TASKS])
        return Backlog(
            lengths={queue: int(self._redis.llen(queue)) for queue in QUEUES},
            waiting_since={name: float(since) for name, since in zip(_TASKS, found, strict=True) if since is not None},
        )

    def _do(self, what: str, call: Callable[[], None]) -> None:
        if self._pending is None:
            call()
            return
        with self._has_pending:
            self._pending[what] = call
            self._has_pending.notify()

    def _run(self) -> None:
        assert self._pending is not None
        while True:
            with self._has_pending:
                while not self._pending:
                    self._has_pending.wait()
                # Tasks before the announcement, which fewer wait for.
                calls = [self._pending.pop(what) for what in sorted(self._pending, key=REVISIONS_CHANNEL.__eq__)]
            for call in calls:
                try:
                    call()
                except Exception:
                    logger.exception("The workers could not be woken: beat's next tick does that")

    def _is_away(self) -> bool:
        return self._retry_at is not None and self._clock() < self._retry_at

    def _begin_outage(self, error: Exception) -> None:
        if self._retry_at is None:
            logger.warning("Redis is away, so that workers run by beat's ticks alone: %s", error)
        self._retry_at = self._clock() + RETRY_SECONDS


def current() -> Wakeups:
    """This process's wake-ups, which the registry's app owns."""
    app: Any = apps.get_app_config("registry")
    owned: Wakeups = app.wakeups
    return owned


def run_in_background() -> None:
    """As Wakeups.run_in_background; called in a process that serves (settings.WHEN_SERVING)."""
    current().run_in_background()


def wake_heartbeats() -> None:
    current().wake(HEARTBEATS)


def wake_notifications() -> None:
    current().wake(NOTIFICATIONS)


def announce(revision: int) -> None:
    """As Wakeups.announce."""
    current().announce(revision)


def listen(listener: Callable[[int], None]) -> Callable[[], None]:
    """As Wakeups.listen."""
    return current().listen(listener)


def acknowledge(task: str) -> None:
    """As Wakeups.acknowledge."""
    current().acknowledge(task)


def backlog() -> Backlog:
    """As Wakeups.backlog. Raises redis.RedisError."""
    return current().backlog()


def _flag(task: str) -> str:
    return f"rollcall:pending:{task}"


def _waiting(task: str) -> str:
    return f"rollcall:waiting:{task}"
