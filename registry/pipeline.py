"""Jobs on an event loop in one thread, their results written in groups by another.

A Celery task hands its claims over and ends; a slow peer keeps no task, no batch and no other peer waiting. The
connections live as long as the process, and so from one sweep to the next.
"""

import asyncio
import logging
import queue
import threading
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import Generic, TypeVar

import uvloop
from django.db import close_old_connections

logger = logging.getLogger(__name__)

Job = TypeVar("Job")
Result = TypeVar("Result")

RESULTS_PER_WRITE = 2000


class Pipeline(Generic[Job, Result]):
    """`prepare` is called on the event loop and makes what performs a job there.

    It answers for its peer and does not raise; should it raise after all, that job's lease runs out. A result that is
    not urgent waits up to `linger_seconds` for others, because a transaction costs as much for one as for many.
    """

    def __init__(
        self,
        prepare: Callable[[], Callable[[Job], Awaitable[Result]]],
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
        self._idle = threading.Condition()
        self._results: queue.SimpleQueue[Result] = queue.SimpleQueue()
        self._loop = uvloop.new_event_loop()
        for target, role in ((self._run_loop, "loop"), (self._run_writer, "writer")):
            threading.Thread(target=target, name=f"{name}-{role}", daemon=True).start()

    @property
    def room(self) -> int:
        """How many more jobs it takes now."""
        return self._capacity - self._in_flight

    def submit(self, jobs: Iterable[Job]) -> None:
        batch = list(jobs)
        with self._idle:
            self._in_flight += len(batch)
        self._loop.call_soon_threadsafe(self._start, batch)

    def drain(self, timeout_seconds: float) -> bool:
        """Wait until every job's result is written; False when that took longer."""
        with self._idle:
            return self._idle.wait_for(lambda: self._in_flight == 0, timeout_seconds)

    def _start(self, batch: list[Job]) -> None:
        for job in batch:
            task = self._loop.create_task(self._carry_out(job))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _carry_out(self, job: Job) -> None:
        try:
            self._results.put(await self._perform(job))
        except Exception:
            logger.exception("a job failed; its lease will run out")
            self._finish(1)

    def _run_loop(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._open())
        self._loop.run_forever()

    async def _open(self) -> None:
        self._perform = self._prepare()

    def _run_writer(self) -> None:
        while True:
            results = self._gather()
            try:
                close_old_connections()
                self._write(results)
            except Exception:
                logger.exception("%d results could not be written; their leases will run out", len(results))
            self._finish(len(results))

    def _gather(self) -> list[Result]:
        """The next group: all that are there, and those that come before the group has lingered or one is urgent."""
        results = [self._results.get()]
        until = time.monotonic() + self._linger_seconds
        has_urgent = self._is_urgent(results[0])
        while len(results) < RESULTS_PER_WRITE:
            left = 0.0 if has_urgent else max(0.0, until - time.monotonic())
            try:
                results.append(self._results.get(block=left > 0, timeout=left))
            except queue.Empty:
                break
            has_urgent = has_urgent or self._is_urgent(results[-1])
        return results

    def _finish(self, count: int) -> None:
        with self._idle:
            self._in_flight -= count
            if self._in_flight == 0:
                self._idle.notify_all()
