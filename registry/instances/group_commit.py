"""Group commit: writes that come at the same time are stored in one transaction.

A commit waits for the disk; while it does, the writes that have come meanwhile gather and share the next one. A write
that comes alone waits for nobody.
"""

import logging
import math
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from datetime import datetime
from queue import SimpleQueue
from time import monotonic
from typing import Any, NamedTuple, Protocol, TypeVar

from django.db import InterfaceError, OperationalError, close_old_connections, connection
from django.utils import timezone

from config.problems import Problem, Unavailable
from registry.database import retry, rows
from registry.errors import Contended
from registry.models import Heartbeat, InstanceKey

MOST_AT_ONCE = 200
# In one group, each stored alone: the first may be at fault itself.
MOST_CONTENDED = 2
# PostgreSQL's code for a lock that was waited for in vain.
LOCK_NOT_AVAILABLE = "55P03"

logger = logging.getLogger(__name__)


class Write(Protocol):
    """A write to one instance, or with an empty instance to a whole service."""

    @property
    def key(self) -> InstanceKey: ...


Item = TypeVar("Item", bound=Write, contravariant=True)
Outcome = TypeVar("Outcome", covariant=True)


class Store(Protocol[Item, Outcome]):
    """Stores writes of one kind, each of another instance, in a transaction of the caller's; one outcome for each."""

    def __call__(self, items: Sequence[Item], /, *, now: datetime) -> Sequence[Outcome | Problem]: ...


class Job(NamedTuple):
    store: Store[Any, Any]
    item: Write
    future: "Future[Any]"
    submitted_at: float = 0.0


def new_thread(run: Callable[[], None]) -> threading.Thread:
    return threading.Thread(target=run, name="group-commit", daemon=True)


class GroupCommit:
    """A queue and the one thread that empties it; the thread starts with the first write, and again after a fork.

    A write that has waited for `patience_seconds` is refused: its client has been told to send it again. Without that,
    a queue grown long while the database was away would never be short again.
    """

    def __init__(
        self,
        *,
        patience_seconds: float = math.inf,
        new_thread: Callable[[Callable[[], None]], threading.Thread] = new_thread,
    ) -> None:
        self.patience_seconds = patience_seconds
        self._new_thread = new_thread
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._start = threading.Lock()
        self._thread: threading.Thread | None = None

    def submit(self, store: Store[Item, Outcome], item: Item) -> "Future[Outcome]":
        """Queue a write; the future has its outcome after the commit, or raises the Problem that it came to.

        Writes of one instance are stored in the order in which they were submitted.
        """
        if not self._is_running():
            with self._start:
                if not self._is_running():
                    self._thread = self._new_thread(self._run)
                    self._thread.start()
        future: Future[Outcome] = Future()
        # From now on it cannot be cancelled: what has been handed in is stored, though its client may be gone.
        future.set_running_or_notify_cancel()
        self._jobs.put(Job(store, item, future, monotonic()))
        return future

    def perform(self, store: Store[Item, Outcome], item: Item) -> Outcome:
        """Submit a write and wait for it. Inside a transaction of the caller's it is part of that one."""
        if connection.in_atomic_block:
            return alone(store, item, now=timezone.now())
        return self.submit(store, item).result()

    def stop(self) -> None:
        """Store what has been submitted, and let go of the database."""
        thread, self._thread = self._thread, None
        if thread is not None:
            self._jobs.put(None)
            thread.join()

    def _is_running(self) -> bool:
        # Not after a fork, which takes no threads along.
        return self._thread is not None and self._thread.is_alive()

    def _run(self) -> None:
        try:
            while jobs := self._gathered():
                try:
                    store(jobs, patience_seconds=self.patience_seconds)
                except Exception as error:
                    # No caller waits for ever, and the next writes are stored.
                    logger.exception("%d writes could not be stored", len(jobs))
                    _refuse(jobs, error)
        finally:
            connection.close()

    def _gathered(self) -> list[Job]:
        """The jobs that wait, at least one; none when it is time to stop."""
        jobs: list[Job] = []
        job = self._jobs.get()
        while job is not None:
            jobs.append(job)
            if len(jobs) == MOST_AT_ONCE or self._jobs.empty():
                return jobs
            job = self._jobs.get()
        if jobs:
            self._jobs.put(None)
        return jobs


def alone(store: Store[Item, Outcome], item: Item, *, now: datetime) -> Outcome:
    """Store one write in a transaction of its own. Raises the Problem that it comes to."""
    (outcome,) = commit([Job(store, item, Future())], now=now)
    if isinstance(outcome, Problem):
        raise outcome
    found: Outcome = outcome
    return found


@retry.retried
def commit(jobs: Sequence[Job], *, now: datetime) -> list[Any]:
    """Store a group in one transaction; returns the outcome of each."""
    rounds = _rounds(jobs)
    if len(rounds) > 1 and connection.features.has_select_for_update:
        _lock(jobs)
    outcomes: dict[int, Any] = {}
    for store, some in rounds:
        found = store([job.item for job in some], now=now)
        outcomes.update(zip(map(id, some), found, strict=True))
    return [outcomes[id(job)] for job in jobs]


def _rounds(jobs: Sequence[Job]) -> list[tuple[Store[Any, Any], list[Job]]]:
    """The writes of each kind together, but those of one instance one after the other, in the order they came."""
    rounds: dict[tuple[int, Store[Any, Any]], list[Job]] = {}
    # The last round that writes an instance, or with no name a whole service; and the last one that writes any of it.
    last: dict[tuple[str, str], int] = {}
    latest: dict[str, int] = {}
    for job in jobs:
        service, instance = job.item.key.service, job.item.key.instance.lower()
        own = last.get((service, instance), -1) if instance else latest.get(service, -1)
        number = max(own, last.get((service, ""), -1)) + 1
        last[service, instance] = number
        latest[service] = max(latest.get(service, -1), number)
        rounds.setdefault((number, job.store), []).append(job)
    return [(store, some) for (_, store), some in sorted(rounds.items(), key=lambda each: each[0][0])]


def _lock(jobs: Iterable[Job]) -> None:
    """Lock all that the rounds write before the first of them takes the head, in everybody's order."""
    condition, parameters = rows.named_or_of([(job.item.key.service, job.item.key.instance) for job in jobs])
    locked = rows.select(condition, parameters, order="id", locked=True)
    ids = [row[rows.ID] for row in locked]
    list(Heartbeat.objects.select_for_update().filter(pk__in=ids).order_by("pk").values_list("pk"))


def store(jobs: list[Job], *, patience_seconds: float = math.inf) -> None:
    """Store a group and settle the future of each. What fails together is stored one by one."""
    jobs = _without_stale(jobs, patience_seconds=patience_seconds)
    if not jobs:
        return
    # Also before those of a group that failed: the connection may have been what it failed by.
    close_old_connections()
    try:
        outcomes = commit(jobs, now=timezone.now())
    except Exception as error:
        if len(jobs) == 1:
            jobs[0].future.set_exception(error)
        else:
            _store_each(jobs, patience_seconds=patience_seconds)
        return
    for job, outcome in zip(jobs, outcomes, strict=True):
        if isinstance(outcome, Problem):
            job.future.set_exception(outcome)
        else:
            job.future.set_result(outcome)


def _store_each(jobs: list[Job], *, patience_seconds: float) -> None:
    """Store each alone: one of them may be what the database refused, and the others must not suffer from it."""
    contended = 0
    for number, job in enumerate(jobs, start=1):
        store([job], patience_seconds=patience_seconds)
        error = job.future.exception()
        contended += isinstance(error, Contended)
        # Where another holds the lock of one row, the others wait for nobody.
        is_away = isinstance(error, OperationalError | InterfaceError) and not _is_locked_row(error)
        if error and (is_away or contended == MOST_CONTENDED):
            # It is away, or busy with others, and found to be so by waiting: the others need not wait as long each.
            _refuse(jobs[number:], error)
            return


def _is_locked_row(error: Exception) -> bool:
    return getattr(error.__cause__, "sqlstate", None) == LOCK_NOT_AVAILABLE


def _without_stale(jobs: list[Job], *, patience_seconds: float) -> list[Job]:
    oldest_at = monotonic() - patience_seconds
    stale = [job for job in jobs if job.submitted_at <= oldest_at]
    late = Unavailable(f"It waited for {patience_seconds:g} s and was not stored: send it again.")
    late.headers["Retry-After"] = "1"
    _refuse(stale, late)
    return [job for job in jobs if job.submitted_at > oldest_at]


def _refuse(jobs: list[Job], error: BaseException) -> None:
    for job in jobs:
        if not job.future.done():
            job.future.set_exception(error)
