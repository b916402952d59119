"""Jobs on an event loop in one thread, their results written in groups by another.

A Celery task hands its claims over and ends; a slow peer keeps no task, no batch and no other peer waiting. The
connections live as long as the process, and so from one sweep to the next.
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
from django.db import close_old_connections

logger = logging.getLogger(__name__)

Job = TypeVar("Job")
Outcome = TypeVar("Outcome")
Result = TypeVar("Result")
_Job = TypeVar("_Job", contravariant=True)
_Result = TypeVar("_Result", covariant=True)

RESULTS_PER_WRITE = 2000
# So many are started before the event loop gets its turn.
STARTS_PER_TURN = 100
# What is started at the end of a process may still take so long.
END_SECONDS = 1.0
GIVEN_UP = "a job failed; its lease will run out"


class Intake(Protocol[_Job]):
    """What takes jobs: a pipeline, as its callers see it."""

    @property
    def room(self) -> int: ...

    def submit(self, jobs: Sequence[_Job], /) -> None: ...

    def is_stalled(self, seconds: float, /) -> bool: ...


class Performer(Protocol[_Job, Outcome, _Result]):
    """Performs jobs on the event loop it was made on, by callbacks, since a task for each would cost more than it does.

    It answers for its peer and does not raise; should it raise after all, that job's lease runs out.
    """

    def start(self, job: _Job, on_outcome: Callable[[Outcome], None], /) -> None:
        """Begin it; `on_outcome` is to be called once."""

    def conclude(self, job: _Job, outcome: Outcome, /) -> _Result:
        """What is to be written of it."""


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
        self._loop = uvloop.new_event_loop()
        self._loop_thread = threading.Thread(target=self._run_loop, name=f"{name}-loop", daemon=True)
        self._loop_thread.start()
        threading.Thread(target=self._run_writer, name=f"{name}-writer", daemon=True).start()
        atexit.register(self._end)

    @property
    def room(self) -> int:
        """How many more jobs it takes now."""
        return self._capacity - self._in_flight

    def submit(self, jobs: Iterable[Job]) -> None:
        batch = deque(jobs)
        with self._idle:
            if self._in_flight == 0:
                self._progressed_at = monotonic()
            self._in_flight += len(batch)
        self._loop.call_soon_threadsafe(self._start, batch)

    def is_stalled(self, seconds: float) -> bool:
        """Whether there are jobs and none has come to its end for so long."""
        return self._in_flight > 0 and monotonic() - self._progressed_at > seconds

    def drain(self, timeout_seconds: float) -> bool:
        """Wait until every job's result is written; False when that took longer."""
        with self._idle:
            return self._idle.wait_for(lambda: self._in_flight == 0, timeout_seconds)

    def _end(self) -> None:
        """A connection that closes while the interpreter is being taken down would have uvloop call into what is no
        longer there: the process would end by a segmentation fault."""
        # In a forked child there is no such thread.
        if self._loop_thread.is_alive():
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._loop_thread.join(END_SECONDS)

    def _run_loop(self) -> None:
        asyncio.set_event_loop(self._loop)
        # Run once only: an end that comes while it is prepared would stop the first run, and not the second.
        self._loop.call_soon(self._open)
        self._loop.run_forever()

    def _open(self) -> None:
        self._performer = self._prepare()

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
        try:
            result = self._performer.conclude(job, outcome)
            is_urgent = self._is_urgent(result)
        except Exception:
            logger.exception(GIVEN_UP)
            self._finish(1)
            return
        # Appended before the writer is told, which takes all that are there after it has heard.
        self._results.append(result)
        if is_urgent and not self._has_urgent.is_set():
            self._has_urgent.set()
        if not self._has_results.is_set():
            self._has_results.set()

    def _run_writer(self) -> None:
        while True:
            self._has_results.wait()
            # A group is whatever is there once its first result has lingered, or one is urgent.
            if self._linger_seconds and len(self._results) < RESULTS_PER_WRITE:
                self._has_urgent.wait(self._linger_seconds)
            self._has_results.clear()
            self._has_urgent.clear()
            results = [self._results.popleft() for _ in range(min(len(self._results), RESULTS_PER_WRITE))]
            if self._results:
                self._has_results.set()
            # Empty when the last was taken before the writer was told of it.
            if results:
                try:
                    close_old_connections()
                    self._write(results)
                except Exception:
                    logger.exception("%d results could not be written; their leases will run out", len(results))
                self._finish(len(results))

    def _finish(self, count: int) -> None:
        with self._idle:
            self._in_flight -= count
            self._progressed_at = monotonic()
            if self._in_flight == 0:
                self._idle.notify_all()
