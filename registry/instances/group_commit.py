"""Group commit: registrations that come at the same time are stored in one transaction.

A commit waits for the disk; while it does, the requests that have come meanwhile gather and share the next one.
"""

import logging
import threading
from concurrent.futures import Future
from queue import SimpleQueue

from django.db import InterfaceError, OperationalError, close_old_connections, connection
from django.utils import timezone

from config.problems import Problem
from registry.errors import Contended, NamedTwice
from registry.instances import registration
from registry.instances.registration import Registered
from registry.instances.storage import Entry

MOST_AT_ONCE = 200
# Of one group, each alone: the first may have itself to blame.
MOST_CONTENDED = 2

logger = logging.getLogger(__name__)

_Job = tuple[Entry, "Future[Registered]"]


class GroupCommit:
    """A queue and the one thread that empties it; the thread starts with the first registration."""

    def __init__(self) -> None:
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._start = threading.Lock()
        self._thread: threading.Thread | None = None

    def submit(self, entry: Entry) -> "Future[Registered]":
        """Queue a registration; the future raises what `registration.register_entry` would."""
        self._ensure_running()
        future: Future[Registered] = Future()
        # From now on it cannot be cancelled: what has been handed in is stored.
        future.set_running_or_notify_cancel()
        self._jobs.put((entry, future))
        return future

    def register(self, entry: Entry) -> Registered:
        """Submit a registration and wait for it. Inside a transaction of the caller's it is part of that one."""
        if connection.in_atomic_block:
            return registration.register_entry(entry, now=timezone.now())
        return self.submit(entry).result()

    def stop(self) -> None:
        """Store what has been submitted, and let go of the database."""
        thread, self._thread = self._thread, None
        if thread is not None:
            self._jobs.put(None)
            thread.join()

    def _ensure_running(self) -> None:
        if not self._is_running():
            with self._start:
                if not self._is_running():
                    self._thread = threading.Thread(target=self._run, name="group-commit", daemon=True)
                    self._thread.start()

    def _is_running(self) -> bool:
        # Not after a fork, which takes no threads along.
        return self._thread is not None and self._thread.is_alive()

    def _run(self) -> None:
        try:
            while jobs := self._gathered():
                try:
                    _store(jobs)
                except Exception as error:
                    # Nobody waits for ever, and the next are stored.
                    logger.exception("%d registrations could not be stored", len(jobs))
                    _refuse(jobs, error)
        finally:
            connection.close()

    def _gathered(self) -> list[_Job]:
        """What is waiting, at least one; nothing when it is time to stop."""
        jobs: list[_Job] = []
        job = self._jobs.get()
        while job is not None:
            jobs.append(job)
            if len(jobs) == MOST_AT_ONCE or self._jobs.empty():
                return jobs
            job = self._jobs.get()
        if jobs:
            self._jobs.put(None)
        return jobs


def _store(jobs: list[_Job]) -> None:
    # Also before those of a group that failed: the connection may have been what it failed by.
    close_old_connections()
    try:
        outcomes = registration.register_many([entry for entry, _ in jobs], now=timezone.now())
    except Exception as error:
        if len(jobs) == 1:
            jobs[0][1].set_exception(error)
        else:
            _store_each(jobs)
        return
    later = [_settle(job, outcome) for job, outcome in zip(jobs, outcomes, strict=True)]
    again = [job for job in later if job is not None]
    if again:
        _store(again)


def _store_each(jobs: list[_Job]) -> None:
    """One of them may be what the database refused: the others must not suffer from it."""
    contended = 0
    for number, job in enumerate(jobs, start=1):
        _store([job])
        error = job[1].exception()
        contended += isinstance(error, Contended)
        is_away = isinstance(error, OperationalError | InterfaceError)
        if error and (is_away or contended == MOST_CONTENDED):
            # It is away, or busy with others, and found to be so by waiting: the others need not wait as long each.
            _refuse(jobs[number:], error)
            return


def _refuse(jobs: list[_Job], error: BaseException) -> None:
    for _, future in jobs:
        if not future.done():
            future.set_exception(error)


def _settle(job: _Job, outcome: Registered | Problem) -> _Job | None:
    """Give the outcome to who waits for it; returns the job where another of its group was about the same instance."""
    _, future = job
    if isinstance(outcome, Registered):
        future.set_result(outcome)
    elif isinstance(outcome, NamedTwice):
        return job
    else:
        future.set_exception(outcome)
    return None
