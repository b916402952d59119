"""Waking the workers after a commit: one task however many commits, because the task finds all there is to do.

The database is the truth. A wake-up that is lost (Redis away, flushed) costs the time until beat's next tick.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import redis
from celery import current_app
from django.conf import settings
from kombu.exceptions import OperationalError

logger = logging.getLogger(__name__)

# Longer than a task waits in a busy queue; shorter than anybody would wait for a lost one.
PENDING_SECONDS = 5
RETRY_SECONDS = 1.0
# Where every process that serves reads hears that the journal has grown. What is said there is only a hint to look.
REVISIONS_CHANNEL = "rollcall:registry:revisions"
# The Celery queues of the registry's tasks.
QUEUES = ("registry", "registry.heartbeats")
_TASKS = ("registry.tasks.sweep_heartbeats", "registry.tasks.sweep_notifications")

_listeners: list[Callable[[int], None]] = []


def wake_heartbeats() -> None:
    _wake("registry.tasks.sweep_heartbeats")


def wake_notifications() -> None:
    _wake("registry.tasks.sweep_notifications")


def announce(revision: int) -> None:
    """Tell whoever waits for changes, in this process and in others, that the journal has reached `revision`.

    Call it after the commit. When it is lost, they notice at their next look at the database.
    """
    for listener in tuple(_listeners):
        _tell(listener, revision)
    if _outage.is_waiting:
        return
    try:
        _redis().publish(REVISIONS_CHANNEL, revision)
    except (redis.RedisError, OSError) as error:
        _outage.begin(error)


def listen(listener: Callable[[int], None]) -> Callable[[], None]:
    """Have `listener` called, in the thread that committed, with what is announced here; returns what ends that."""
    _listeners.append(listener)
    return lambda: _listeners.remove(listener)


def acknowledge(task_name: str) -> None:
    """The task has begun: a change committed from now on needs another. Call it before looking for work."""
    try:
        _redis().delete(_flag(task_name), _waiting(task_name))
    except redis.RedisError as error:
        logger.warning("Redis is away, %s goes by beat's ticks alone: %s", task_name, error)


@dataclass(frozen=True, kw_only=True)
class Backlog:
    """How many messages wait in each queue, and since when (in seconds since the epoch) each woken task has."""

    lengths: dict[str, int]
    waiting_since: dict[str, float]


def backlog() -> Backlog:
    """Raises redis.RedisError."""
    found = _redis().mget([_waiting(name) for name in _TASKS])
    return Backlog(
        lengths={queue: int(_redis().llen(queue)) for queue in QUEUES},
        waiting_since={name: float(since) for name, since in zip(_TASKS, found, strict=True) if since is not None},
    )


class _Outage:
    """While Redis is away, waking it is tried once a second, and said once: nobody's commit waits for it."""

    def __init__(self) -> None:
        self._retry_at = 0.0

    @property
    def is_waiting(self) -> bool:
        return time.monotonic() < self._retry_at

    def begin(self, error: Exception) -> None:
        if not self._retry_at:
            logger.warning("Redis is away, so that workers go by beat's ticks alone: %s", error)
        self._retry_at = time.monotonic() + RETRY_SECONDS

    def end(self) -> None:
        if self._retry_at:
            logger.info("Redis is back")
            self._retry_at = 0.0


_outage = _Outage()


def _tell(listener: Callable[[int], None], revision: int) -> None:
    try:
        listener(revision)
    except Exception:
        # The change is stored: who made it must not be told that it failed.
        logger.exception("A listener could not be told of revision %d", revision)


def _wake(task_name: str) -> None:
    if _outage.is_waiting:
        return
    try:
        if _redis().set(_flag(task_name), 1, nx=True, ex=PENDING_SECONDS):
            current_app.send_task(task_name, retry=False)
            # Outlives the flag, which runs out: the age of the oldest call that no worker has answered.
            _redis().set(_waiting(task_name), time.time(), nx=True)
    except (redis.RedisError, OperationalError, OSError) as error:
        _outage.begin(error)
    else:
        _outage.end()


def _flag(task_name: str) -> str:
    return f"rollcall:pending:{task_name}"


def _waiting(task_name: str) -> str:
    return f"rollcall:waiting:{task_name}"


@cache
def _redis() -> redis.Redis:
    return redis.Redis.from_url(settings.REDIS_URL, socket_timeout=1, socket_connect_timeout=1)
