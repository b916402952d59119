"""Performs jobs on an event loop in one thread and writes their results in groups in another.

A Celery task hands over its claims and ends; a slow peer keeps no task, no batch and no other peer waiting.
Connections live as long as the process, and so from one sweep to the next.
"""

import asyncio
import atexit
import logging
import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from time import monotonic
from typing import Generic, Protocol, TypeVar

import uvloop
from django.db import close_old_connections, connections

logger = logging.getLogger(__name__)

Job = TypeVar("Job")
Outcome = TypeVar("Outcome")
Result = TypeVar("Result")
_Job = TypeVar("_Job", contravariant=True)
_Result = TypeVar("_Result", covariant=True)

RESULTS_PER_WRITE = 2000
# The most jobs that are started before the event loop gets its turn.
STARTS_PER_TURN = 100
# How long each of its threads may take to end.
END_SECONDS = 1.0
GIVEN_UP = "A job failed; its lease will run out"


class Intake(Protocol[_Job]):
    """Takes jobs: a pipeline as its callers see it."""

    @property
    def room(self) -> int: ...

    def submit(self, jobs: Sequence[_Job], /) -> None: ...

    def is_stalled(self, seconds: float, /) -> bool: ...

    def stop(self) -> None: ...


class Performer(Protocol[_Job, Outcome, _Result]):
    """Performs jobs on the event loop it was made on, by callbacks: a task for each would cost more than the job.

    It turns its peer's failures into outcomes and does not raise; if it does, that job's lease runs out.
    """

    def start(self, job: _Job, on_outcome: Callable[[Outcome], None], /) -> None:
        """Begin a job; calls `on_outcome` once."""

    def conclude(self, job: _Job, outcome: Outcome, /) -> _Result:
        """The result to write."""

    async def close(self) -> None:
        """End what is under way; outcomes that still come are dropped."""


class Pipeline(Generic[Job, Outcome, Result]):
    """`prepare` is called on the event loop.

    A result that is not urgent waits up to `linger_seconds` for others, because a transaction costs as much for one as
    for many.
    """

    def __init__(
        self,
        prepare: Callable[[], Performer[Job, Outcome, Result]],
        write: Callable[[list[Result]], None],
        *,
        name: str,
        capacity: int,
        linger_seconds: float = 0.0,
        is_urgent: Callable[[Result], bool] = lambda result: True,
    ) -> None:
        self._prepare = prepare
        self._write = write
        self._capacity = capacity
        self._linger_seconds = linger_seconds
        self._is_urgent = is_urgent
        self._in_flight = 0
        self._progressed_at = monotonic()
        self._idle = threading.Condition()
        self._results: deque[Result] = deque()
        self._has_results = threading.Event()
        self._has_urgent = threading.Event()
        self._is_over = False
        self._loop = uvloop.new_event_loop()
        self._loop_thread = threading.Thread(target=self._run_loop, name=f"{name}-loop", daemon=True)
        self._loop_thread.start()
        self._writer = threading.Thread(target=self._run_writer, name=f"{name}-writer", daemon=True)
        self._writer.start()
        # A connection closing while the interpreter shuts down would crash uvloop.
        atexit.register(self.stop)

    @property
    def room(self) -> int:
        """The number of further jobs that it takes now."""
        return self._capacity - self._in_flight

    def submit(self, jobs: Iterable[Job]) -> None:
        batch = deque(jobs)
        with self._idle:
            if self._in_flight == 0:
                self._progressed_at = monotonic()
            self._in_flight += len(batch)
        self._loop.call_soon_threadsafe(self._start, batch)

    def is_stalled(self, seconds: float) -> bool:
        """Whether there are jobs and none has ended for this long."""
        return self._in_flight > 0 and monotonic() - self._progressed_at > seconds

    def drain(self, timeout_seconds: float) -> bool:
        """Wait until every job's result is written; False when that took longer."""
        with self._idle:
            return self._idle.wait_for(lambda: self._in_flight == 0, timeout_seconds)

    def stop(self) -> None:
        """Write the results that are there and end both threads; the leases of jobs under way run out."""
        # In a forked child there are no such threads.
        if self._loop_thread.is_alive():
            self._is_over = True
            self._loop.call_soon_threadsafe(self._close)
            self._loop_thread.join(END_SECONDS)
        if self._writer.is_alive():
            self._has_results.set()
            self._has_urgent.set()
            self._writer.join(END_SECONDS)

    def _run_loop(self) -> None:
        asyncio.set_event_loop(self._loop)
        # A single run: an end that comes during the preparation would stop only the first of two.
        self._loop.call_soon(self._open)
        self._loop.run_forever()

    def _open(self) -> None:
        self._performer = self._prepare()

    def _close(self) -> None:
        closing = self._loop.create_task(self._performer.close())
        closing.add_done_callback(lambda done: self._loop.stop())

    def _start(self, batch: deque[Job]) -> None:
        for _ in range(min(len(batch), STARTS_PER_TURN)):
            job = batch.popleft()
            try:
                self._performer.start(job, partial(self._conclude, job))
            except Exception:
                logger.exception(GIVEN_UP)
                self._finish(1)
        if batch:
            self._loop.call_soon(self._start, batch)

    def _conclude(self, job: Job, outcome: Outcome) -> None:
        if self._is_over:
            return
        try:
            result = self._performer.conclude(job, outcome)
            is_urgent = self._is_urgent(result)
        except Exception:
            logger.exception(GIVEN_UP)
            self._finish(1)
            return
        # Appended before the writer is woken, which then takes all that are there.
        self._results.append(result)
        if is_urgent and not self._has_urgent.is_set():
            self._has_urgent.set()
        if not self._has_results.is_set():
            self._has_results.set()

    def _run_writer(self) -> None:
        while not self._is_over or self._results:
            self._has_results.wait()
            # A group is all that is there once its first result has lingered, or one is urgent.
            if self._linger_seconds and len(self._results) < RESULTS_PER_WRITE:
                self._has_urgent.wait(self._linger_seconds)
            self._has_results.clear()
            self._has_urgent.clear()
            results = [self._results.popleft() for _ in range(min(len(self._results), RESULTS_PER_WRITE))]
            if self._results:
                self._has_results.set()
            # Empty when the writer took the last result before it was woken for it.
            if results:
                try:
                    close_old_connections()
                    self._write(results)
                except Exception:
                    logger.exception("%d results could not be written; their leases will run out", len(results))
                self._finish(len(results))
        connections.close_all()

    def _finish(self, count: int) -> None:
        with self._idle:
            self._in_flight -= count
            self._progressed_at = monotonic()
            if self._in_flight == 0:
                self._idle.notify_all()
