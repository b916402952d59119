"""Calls from an event loop into threads, and from a thread back to its loop; see config/hybrid.py."""

import asyncio
import concurrent.futures
import sys
import threading
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from config.turns import Caller, Turns

Result = TypeVar("Result")
_Job = tuple[Callable[[], Any], "asyncio.Future[Any]", asyncio.AbstractEventLoop, Caller | None]
_Outcome = tuple["asyncio.Future[Any]", Any, BaseException | None]

# How long a thread that computes keeps the interpreter from one that waits for it; Python's default is 5 ms.
SWITCH_SECONDS = 0.0005


def switch_often() -> None:
    """Have an event loop answer while other threads compute; called by a process as it begins."""
    sys.setswitchinterval(SWITCH_SECONDS)


class Abandoned(Exception):
    """The caller went away before the outcome."""


class Threads:
    """Daemon threads that run functions for an event loop, each up to `at_once` before it returns their outcomes.

    As few are at work as can be: one that is made use of again is quicker than another by a fifth (bench/README.md).

    Callers that are named take turns, and each has at most `most_of_one` of the threads at work.

    With several at once the loop and the threads take turns instead of contending for the interpreter, which doubles
    the rate of quick functions; a slow one delays those that were taken with it.

    The executors of `concurrent.futures` are joined before a process may end, ahead of its `atexit` handlers: a single
    request that hangs would keep a service that is told to stop from deregistering.
    """

    def __init__(self, count: int, *, at_once: int = 1, most_of_one: int | None = None) -> None:
        self._count = count
        self._at_once = at_once
        self._lock = threading.Lock()
        self._jobs: deque[_Job] = deque()
        self._turns: Turns[_Job] = Turns(count if most_of_one is None else most_of_one)
        self._started = 0
        # Released to wake an idle thread; the last to have worked comes first, whose connection is in the caches.
        self._idle: list[threading.Lock] = []

    async def run(self, function: Callable[[], Result], *, caller: Caller | None = None) -> Result:
        """Run `function` and return its result; once begun, it runs to its end even when the caller is cancelled."""
        return await self.submit(function, caller=caller)

    def submit(self, function: Callable[[], Result], *, caller: Caller | None = None) -> "asyncio.Future[Result]":
        """The same for a caller that holds on to the future: what settles it before the thread does is its outcome."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Result] = loop.create_future()
        job: _Job = (function, future, loop, caller)
        with self._lock:
            if caller is not None and not self._turns.may_work(caller):
                # Its own threads take it when they are done.
                self._turns.wait(caller, job)
                return future
            if self._idle:
                self._idle.pop().release()
            elif self._started < self._count:
                try:
                    threading.Thread(target=self._work, name=f"request-{self._started + 1}", daemon=True).start()
                    self._started += 1
                except RuntimeError:
                    # There may be too many in the process; those of this pool take the job when they are done.
                    if not self._started:
                        raise
            elif caller is not None:
                self._turns.wait(caller, job)
                return future
            if caller is not None:
                self._turns.begin(caller)
            self._jobs.append(job)
        return future

    def _work(self) -> None:
        wake = threading.Lock()
        wake.acquire()
        jobs: list[_Job] = []
        while True:
            outcomes = _run(jobs)
            loop = jobs[0][2] if jobs else None
            with self._lock:
                for *_, caller in jobs:
                    if caller is not None:
                        self._turns.finish(caller)
                jobs = [self._jobs.popleft() for _ in range(min(self._at_once, len(self._jobs)))]
                if not jobs and (taken := self._turns.take()) is not None:
                    jobs = [taken[1]]
                if not jobs:
                    # Before the loop hears of the outcomes, so that it is this thread that gets what comes next.
                    self._idle.append(wake)
            if loop is not None:
                _hand_over(outcomes, loop)
            # A waiting thread must not keep objects of the last request alive.
            del outcomes, loop
            if not jobs:
                wake.acquire()


class LoopCalls:
    """Lets a thread run coroutines on an event loop, one after the other, until `end`."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._is_over = False
        self._pending: concurrent.futures.Future[None] | None = None
        self._task: asyncio.Task[None] | None = None

    def run(self, make: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run the coroutine that `make` makes, from the thread, and wait for it. Raises Abandoned after `end`."""
        pending = self._pending = concurrent.futures.Future[None]()
        # In this order here and the reverse in `end`, so that one of the two always sees the other.
        if self._is_over:
            raise Abandoned
        self._loop.call_soon_threadsafe(self._begin, make, pending)
        pending.result()

    def end(self) -> None:
        """Abandon the thread's calls; called on the loop, while it still runs."""
        self._is_over = True
        if self._pending is not None and not self._pending.done():
            self._pending.set_exception(Abandoned())

    def _begin(self, make: Callable[[], Coroutine[Any, Any, None]], pending: "concurrent.futures.Future[None]") -> None:
        if not pending.done():
            self._task = self._loop.create_task(self._finish(make, pending))

    async def _finish(
        self, make: Callable[[], Coroutine[Any, Any, None]], pending: "concurrent.futures.Future[None]"
    ) -> None:
        try:
            await make()
        except BaseException as error:
            if not pending.done():
                pending.set_exception(error)
        else:
            if not pending.done():
                pending.set_result(None)


def _run(jobs: list[_Job]) -> list[_Outcome]:
    """Run the jobs one after the other."""
    outcomes: list[_Outcome] = []
    for function, future, *_ in jobs:
        if future.done():
            continue
        try:
            outcomes.append((future, function(), None))
        except BaseException as error:
            # A future takes no StopIteration, which would end its awaiter instead of reporting an error.
            is_stop = isinstance(error, StopIteration)
            outcomes.append((future, None, RuntimeError(f"the function raised {error!r}") if is_stop else error))
    return outcomes


def _hand_over(outcomes: list[_Outcome], loop: asyncio.AbstractEventLoop) -> None:
    """Hand all outcomes to their loop at once."""
    try:
        loop.call_soon_threadsafe(_settle, outcomes)
    except RuntimeError:
        # The loop was closed in the meantime, so nothing waits for the outcomes.
        return


def _settle(outcomes: list[_Outcome]) -> None:
    for future, result, error in outcomes:
        if future.done():
            continue
        if error is None:
            future.set_result(result)
        else:
            future.set_exception(error)
