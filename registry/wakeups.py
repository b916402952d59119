"""Wakes the workers after a commit: one call however many commits, because a sweep finds all there is to do.

A call is an element of a list in Redis, which one worker takes. As a task of Celery's it would cost sender and worker
several milliseconds of a processor each, in which nobody else is answered.

The database is the truth. A wake-up that is lost (Redis away, flushed) costs the time until beat's next tick.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Protocol

import redis
from django.apps import apps

from registry.redis_client import Command

logger = logging.getLogger(__name__)

RETRY_SECONDS = 1.0
# How long the background waits, when it has told Redis, before it reads the answer and logs. The interpreter's lock is
# left to the threads that answer the commit's author and the long polls (bench/README.md, Writes).
GIVE_WAY_SECONDS = 0.002
# How long a worker waits for a call before it looks whether it is to end: less than Redis may take to answer.
LISTEN_SECONDS = 0.5
# The channel that tells processes that serve reads that the journal has grown. A message is only a hint to look.
REVISIONS_CHANNEL = "rollcall:registry:revisions"
HEARTBEATS = "registry.tasks.sweep_heartbeats"
NOTIFICATIONS = "registry.tasks.sweep_notifications"
# The Celery queues of beat's ticks; the workers of a queue are those that a call wakes.
QUEUES = {NOTIFICATIONS: "registry", HEARTBEATS: "registry.heartbeats"}


@dataclass(frozen=True, kw_only=True)
class Growth:
    """The entries that one commit has appended to the journal of this history, without a gap."""

    history: str
    entries: Sequence[Any]


Listener = Callable[[int, Growth | None], None]
# What is to be sent to Redis for one kind of news.
Message = Sequence[Command]


class Asks(Protocol):
    def ask(self, *commands: Command, pause_seconds: float = 0.0) -> list[Any]:
        """Send the commands to Redis in one round trip, and return their answers, read after a pause.

        Raises redis.RedisError.
        """


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
        server: Asks,
        *,
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self._redis = server
        self._clock = clock
        self._wall_clock = wall_clock
        self.listeners: list[Listener] = []
        # When Redis is tried again; None while it answers.
        self._retry_at: float | None = None
        # What the background is to send, the newest of each kind, and to do afterwards.
        self._messages: dict[str, Message] = {}
        self._afterwards: dict[str, Callable[[], None]] = {}
        self._has_pending = threading.Condition()
        self._has_background = False

    def run_in_background(self) -> None:
        """Speak to Redis in a thread of its own from now on, so that no commit waits for it.

        What the process takes along when it ends is found at beat's next tick.
        """
        self._has_background = True
        threading.Thread(target=self._run, name="wakeups", daemon=True).start()

    def wake(self, task: str) -> None:
        """Call for the sweep that this task makes, unless a call waits already."""
        calls = _calls(task)
        # Only the oldest is kept: its age is how long no worker has answered.
        self._send(task, [("RPUSH", calls, self._wall_clock()), ("LTRIM", calls, 0, 0)])

    def acknowledge(self, task: str) -> None:
        """A sweep begins: a change committed from now on needs another. Call it before looking for work."""
        try:
            self._redis.ask(("DEL", _calls(task)))
        except redis.RedisError as error:
            logger.warning("Redis is away, so that %s runs by beat's ticks alone: %s", task, error)

    def afterwards(self, what: str, call: Callable[[], None]) -> None:
        """Call it after the commit, where there is a background when its author has been answered."""
        if not self._has_background:
            call()
            return
        with self._has_pending:
            self._afterwards[what] = call
            self._has_pending.notify()

    def taken(self, tasks: Sequence[str], *, seconds: float = LISTEN_SECONDS) -> str | None:
        """Wait for a call of one of these tasks, and take it, so that no other worker does; None when none comes.

        Raises redis.RedisError.
        """
        (found,) = self._redis.ask(("BLPOP", *map(_calls, tasks), seconds))
        return None if found is None else next(task for task in tasks if _calls(task).encode() == found[0])

    def announce(self, revision: int, growth: Growth | None = None) -> None:
        """Announce, in this process and others, that the journal has reached `revision`; here also by which entries.

        Call it after the commit. When it is lost, they notice at their next look at the database.
        """
        for listener in tuple(self.listeners):
            try:
                listener(revision, growth)
            except Exception:
                # The change is stored: its author must not get an error.
                logger.exception("A listener could not be told of revision %d", revision)
        self._send(REVISIONS_CHANNEL, [("PUBLISH", REVISIONS_CHANNEL, revision)])

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` with each announced revision, in the committing thread; returns a function that ends that."""
        self.listeners.append(listener)
        return lambda: self.listeners.remove(listener)

    def backlog(self) -> Backlog:
        """Raises redis.RedisError."""
        oldest = self._redis.ask(*[("LINDEX", _calls(task), 0) for task in QUEUES])
        lengths = self._redis.ask(*[("LLEN", queue) for queue in QUEUES.values()])
        return Backlog(
            lengths=dict(zip(QUEUES.values(), lengths, strict=True)),
            waiting_since={task: float(since) for task, since in zip(QUEUES, oldest, strict=True) if since is not None},
        )

    def _send(self, what: str, message: Message) -> None:
        if not self._has_background:
            self._exchange([message])
            return
        with self._has_pending:
            self._messages[what] = message
            self._has_pending.notify()

    def _run(self) -> None:
        # Calls for sweeps before the announcement, which fewer wait for.
        ranks = dict.fromkeys(QUEUES, 0)
        while True:
            with self._has_pending:
                while not self._messages and not self._afterwards:
                    self._has_pending.wait()
                messages = [
                    self._messages.pop(what) for what in sorted(self._messages, key=lambda what: ranks.get(what, 1))
                ]
            try:
                self._exchange(messages, pause_seconds=GIVE_WAY_SECONDS)
            except Exception:
                logger.exception("The workers could not be woken: beat's next tick does that")
            with self._has_pending:
                calls, self._afterwards = list(self._afterwards.values()), {}
            for call in calls:
                try:
                    call()
                except Exception:
                    logger.exception("What was to be done after a commit failed")

    def _exchange(self, messages: Sequence[Message], *, pause_seconds: float = 0.0) -> None:
        """Send all in one round trip, unless Redis is away."""
        if not messages or self._is_away():
            return
        try:
            self._redis.ask(*chain.from_iterable(messages), pause_seconds=pause_seconds)
        except (redis.RedisError, OSError) as error:
            self._begin_outage(error)
        else:
            if self._retry_at is not None:
                logger.info("Redis is back")
                self._retry_at = None

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
    """See Wakeups.run_in_background; called in a process that serves (settings.WHEN_SERVING)."""
    current().run_in_background()


def wake_heartbeats() -> None:
    current().wake(HEARTBEATS)


def wake_notifications() -> None:
    current().wake(NOTIFICATIONS)


def announce(revision: int, growth: Growth | None = None) -> None:
    """See Wakeups.announce."""
    current().announce(revision, growth)


def afterwards(what: str, call: Callable[[], None]) -> None:
    """See Wakeups.afterwards."""
    current().afterwards(what, call)


def listen(listener: Listener) -> Callable[[], None]:
    """See Wakeups.listen."""
    return current().listen(listener)


def acknowledge(task: str) -> None:
    """See Wakeups.acknowledge."""
    current().acknowledge(task)


def taken(tasks: Sequence[str]) -> str | None:
    """See Wakeups.taken. Raises redis.RedisError."""
    return current().taken(tasks)


def backlog() -> Backlog:
    """See Wakeups.backlog. Raises redis.RedisError."""
    return current().backlog()


def _calls(task: str) -> str:
    return f"rollcall:calls:{task}"
