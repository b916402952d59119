"""Makes the pages that are asked for at one time together, at little more than the cost of one."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from time import monotonic
from typing import Any

from config.problems import Problem
from registry.discovery.journal_poller import Run
from registry.discovery.pages import Page

# A page for each that is asked for, or the problem that the read of it is answered with.
MakeAll = Callable[[Sequence[Any]], Iterable[Page | Problem]]

MOST_TOGETHER = 16
# A batch that takes longer holds up none that comes after it, which is made beside it, and no page of its own that is
# made already.
SLOW_SECONDS = 0.02


@dataclass(frozen=True, slots=True)
class Batched:
    """The making of a page that can be made with others."""

    make_all: MakeAll
    asked: Any

    def __call__(self) -> Page:
        """Make it alone. Raises Problem."""
        (made,) = self.make_all([self.asked])
        if isinstance(made, Problem):
            raise made
        return made


class Batches:
    """Has pages made by `run`, those that wait in one batch after the other; lives on one event loop."""

    def __init__(self, run: Run, make_all: MakeAll) -> None:
        self._run = run
        self._make_all = make_all
        self._loop = asyncio.get_running_loop()
        self._waiting: list[tuple[Any, asyncio.Future[Page]]] = []
        # The batch for whose end those that wait are to wait: the last, unless it is slow.
        self._current: asyncio.Future[Any] | None = None

    def page(self, asked: Any) -> "asyncio.Future[Page]":
        """A future of the page, whose making begins after this call. Settling it before gives the page up."""
        page: asyncio.Future[Page] = self._loop.create_future()
        self._waiting.append((asked, page))
        if self._current is None:
            # Soon rather than now, for what has come in the same moment.
            self._current = self._loop.create_future()
            self._loop.call_soon(self._go_on, self._current)
        return page

    def _go_on(self, after: "asyncio.Future[Any]") -> None:
        """Begin the next batch, unless another did when the one before it was slow."""
        if self._current is not after:
            return
        waiting = [(asked, page) for asked, page in self._waiting if not page.done()]
        batch, self._waiting = waiting[:MOST_TOGETHER], waiting[MOST_TOGETHER:]
        if not batch:
            self._current = None
            return
        made: asyncio.Future[Sequence[Page | Problem]]
        try:
            self._current = made = asyncio.ensure_future(self._run(partial(self._make, batch)))
        except RuntimeError as error:
            # No thread can be started.
            self._current = made = self._loop.create_future()
            made.set_exception(error)
        timer = self._loop.call_later(SLOW_SECONDS, self._go_on, made)
        made.add_done_callback(partial(self._settle, [page for _, page in batch], timer))

    def _make(self, batch: "Sequence[tuple[Any, asyncio.Future[Page]]]") -> list[Page | Problem]:
        """Make the pages, in a thread."""
        began, outcomes = monotonic(), []
        for (_, page), outcome in zip(batch, self._make_all([asked for asked, _ in batch]), strict=True):
            outcomes.append(outcome)
            if monotonic() - began > SLOW_SECONDS:
                self._loop.call_soon_threadsafe(_give_out, page, outcome)
        return outcomes

    def _settle(
        self,
        pages: Sequence["asyncio.Future[Page]"],
        timer: asyncio.TimerHandle,
        made: "asyncio.Future[Sequence[Page | Problem]]",
    ) -> None:
        timer.cancel()
        self._go_on(made)
        if made.cancelled():
            for page in pages:
                page.cancel()
            return
        error = made.exception()
        outcomes = made.result() if error is None else [error] * len(pages)
        for page, outcome in zip(pages, outcomes, strict=True):
            _give_out(page, outcome)


def _give_out(page: "asyncio.Future[Page]", outcome: Page | BaseException) -> None:
    if page.done():
        return
    if isinstance(outcome, Page):
        page.set_result(outcome)
    else:
        page.set_exception(outcome)
