"""Answers reads from memory: the journal's end, tokens and pages, on one event loop."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar
from weakref import WeakValueDictionary

from django.conf import settings
from django.db import InterfaceError, OperationalError, close_old_connections, connection

from config.exchange import disconnected
from config.problems import Unauthenticated, Unavailable
from config.threads import Abandoned, Threads
from config.tokens.issuing import Holder
from registry.discovery.batches import Batched, Batches, MakeAll
from registry.discovery.cache import Cache
from registry.discovery.documents import Document
from registry.discovery.journal_poller import Run, Watcher
from registry.discovery.journal_window import Revisions
from registry.discovery.pages import Address, Answer, Page
from registry.discovery.token_cache import Holders, token_digest
from registry.discovery.waiters import Bell, Cause
from registry.errors import NotThereYet

# Not those in which Django answers, so that no slow write holds up a read.
THREADS = 4
# How long a read waits for the revision that `at_least` names.
AT_LEAST_SECONDS = 2.0
# Each holds an open connection; a process has at most 20,000.
MOST_WAITING = 15_000
REVOKED = "The token was revoked: make another with the create_token command."

Result = TypeVar("Result")


class Reader:
    def __init__(self, run: Run) -> None:
        self.run = run
        self.revisions = Revisions()
        self.holders = Holders(run)
        self.watcher = Watcher(self.revisions, self.holders, run)
        self._loop = asyncio.get_running_loop()
        self._cache = Cache()
        self._epoch = 0
        self._making: dict[Address, asyncio.Future[Page]] = {}
        self._batches: dict[MakeAll, Batches] = {}
        # One for each token that follows the journal.
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self.waiting = 0
        # The next look at the journal, and what waits for it.
        self._looked: tuple[asyncio.Task[None] | None, asyncio.Future[None]] = None, self._loop.create_future()

    async def holder(self, header: str) -> Holder:
        """The holder of the token in an `Authorization` header, which may be empty. Raises Unauthenticated."""
        if not header:
            raise Unauthenticated("Send the header `Authorization: Bearer <token>`.")
        return await self.holders.of(header, now=self._loop.time())

    def turn(self, header: str) -> asyncio.Lock:
        """The lock of a token, for work that only one of its requests may do at a time."""
        return self._turns.setdefault(token_digest(header), asyncio.Lock())

    def now(self) -> float:
        return self._loop.time()

    def is_at(self, at_least: int | None, *, now: float) -> bool:
        """Whether what is known of the journal is recent enough, and has reached that revision."""
        return self.revisions.is_fresh(now=now) and (at_least is None or self.revisions.head >= at_least)

    def known_answer(self, address: Address, *, at_least: int | None, now: float) -> tuple[Page, int] | None:
        """A page that is true and the revision at which it is, where one is cached and `is_at` holds."""
        page = self._kept(address) if self.is_at(at_least, now=now) else None
        if page is None or page.revision < self.revisions.last_change(page.services):
            return None
        return page, max(page.revision, self.revisions.head)

    def look_soon(self) -> "asyncio.Future[None]":
        """Done when the database was polled, which begins after this call; fails with Unavailable where it takes long.

        Callers before it begins share it, and its timer.
        """
        task = self.watcher.look_soon()
        looking, looked = self._looked
        if looking is not task:
            looked = self._loop.create_future()
            self._looked = task, looked
            if settings.ANSWER_SECONDS is not None:
                timer = self._loop.call_later(settings.ANSWER_SECONDS, _give_up, looked)
                looked.add_done_callback(lambda _: timer.cancel())
            task.add_done_callback(partial(_pass_on, looked))
        return looked

    async def reach(self, *, at_least: int | None, strictly: bool) -> None:
        """Poll the database where what is known is too old, and wait a moment for a revision to arrive.

        Raises NotThereYet, Unavailable.
        """
        if strictly or not self.revisions.is_fresh(now=self._loop.time()):
            await self._look()
        if at_least is None or self.revisions.head >= at_least:
            return
        await self._look()
        deadline = self._loop.time() + AT_LEAST_SECONDS
        while self.revisions.head < at_least:
            if not await self._changes_by(deadline):
                raise NotThereYet(at_least, head=self.revisions.head)

    async def answer(self, address: Address, document: Document) -> Answer:
        """The cached answer while it is true, else a new one; concurrent callers share its making."""
        answer = await self._answer(address, document)
        if document.content is None:
            return answer
        content = await self._answer(*document.content(answer.page))
        if content.page.history != answer.page.history:
            return await self.answer(address, document)
        return answer.with_content(content)

    async def _answer(self, address: Address, document: Document) -> Answer:
        head = self.revisions.head
        page = self._kept(address)
        while page is None or not (page.revision >= head or page.revision >= self.revisions.last_change(page.services)):
            page = await self._make(address, document)
            if page.history != self.revisions.history:
                await self._look()
                head, page = self.revisions.head, self._kept(address)
        is_current = page.revision >= self.revisions.last_change(page.services)
        return Answer(page=page, revision=max(page.revision, self.revisions.head) if is_current else page.revision)

    async def wait(self, bell: Bell, services: frozenset[str] | None, *, header: str, seconds: float) -> Cause:
        """Wait until one of the services changes, the token is revoked, the bell rings or the time is over."""
        if self.waiting >= MOST_WAITING:
            raise Unavailable(f"{MOST_WAITING} requests wait here already: ask again later, or ask another process.")
        self.waiting += 1
        self.revisions.wait(bell, services)
        self.holders.wait(bell, header)
        try:
            return await bell.rung(within_seconds=seconds)
        finally:
            self.waiting -= 1
            self.revisions.forget(bell, services)
            self.holders.forget(bell, header)

    async def change(
        self,
        services: frozenset[str] | None,
        *,
        after: int,
        seconds: float,
        header: str,
        receive: Callable[[], Any],
    ) -> None:
        """Wait until one of the services has changed after that revision, or the time is over.

        Raises Unauthenticated when the token is revoked meanwhile, Abandoned when the client is gone.
        """
        if after > self.revisions.head:
            await self._look()
        # The database does not hold a later revision: it was restored from a copy, and there is nothing to wait for.
        if not self.revisions.last_change(services) <= after <= self.revisions.head:
            return
        bell = Bell()
        gone = self._loop.create_task(disconnected(receive))
        gone.add_done_callback(lambda _: bell.ring(Cause.CLIENT_GONE))
        try:
            refuse(await self.wait(bell, services, header=header, seconds=seconds))
        finally:
            gone.cancel()

    async def _look(self) -> None:
        # The poll before it may have to end first.
        try:
            async with asyncio.timeout(settings.ANSWER_SECONDS) as deadline:
                await self.watcher.look()
        except TimeoutError as error:
            if not deadline.expired():
                raise
            raise _late() from error

    def _kept(self, address: Address) -> Page | None:
        if self._epoch != self.revisions.epoch:
            self._epoch, self._cache = self.revisions.epoch, Cache()
        return self._cache.get(address)

    async def _make(self, address: Address, document: Document) -> Page:
        return await asyncio.shield(self.make_soon(address, document))

    def make_soon(self, address: Address, document: Document) -> "asyncio.Future[Page]":
        """The making of a page, which concurrent callers share; it is cached before they hear of it."""
        making = self._making.get(address)
        # One that is done and not cached yet may be too old, and awaiting it would keep the loop from caching it.
        if making is None or making.done():
            making = self._making[address] = self._begin_making(document.make)
            epoch = self.revisions.epoch
            making.add_done_callback(lambda task: self._keep(address, task, epoch=epoch))
        return making

    def _begin_making(self, make: Callable[[], Page]) -> "asyncio.Future[Page]":
        if not isinstance(make, Batched):
            return asyncio.ensure_future(self.run(make))
        batches = self._batches.get(make.make_all)
        if batches is None:
            batches = self._batches[make.make_all] = Batches(self.run, make.make_all)
        return in_time(batches.page(make.asked))

    def _keep(self, address: Address, making: "asyncio.Future[Page]", *, epoch: int) -> None:
        if self._making.get(address) is making:
            del self._making[address]
        if epoch != self.revisions.epoch or making.cancelled() or making.exception() is not None:
            return
        page = making.result()
        # A page of another history must not be cached among this one's.
        if page.history == self.revisions.history:
            self._cache.put(address, page)

    async def _changes_by(self, deadline: float) -> bool:
        bell = Bell()
        self.revisions.wait(bell, None)
        try:
            return await bell.rung(within_seconds=deadline - self._loop.time()) is Cause.CHANGED
        finally:
            self.revisions.forget(bell, None)


def refuse(cause: Cause) -> None:
    """Raise the error for a wait that ended other than by a change or by time."""
    if cause is Cause.TOKEN_REVOKED:
        raise Unauthenticated(REVOKED)
    if cause is Cause.CLIENT_GONE:
        raise Abandoned


def start() -> Reader:
    """Start a reader on the running loop, with threads and polls of its own."""
    # SQLite reads in this process, where several threads would only contend; PostgreSQL has to be waited for.
    threads = Threads(1 if connection.vendor == "sqlite" else THREADS)
    reader = Reader(partial(read_in, threads))
    reader.watcher.start()
    return reader


def read_in(threads: Threads, function: Callable[[], Result]) -> "asyncio.Future[Result]":
    """Run a function that reads the database; raises Unavailable where that takes longer than clients wait."""
    return in_time(threads.submit(partial(read, function)))


def in_time(reading: "asyncio.Future[Result]") -> "asyncio.Future[Result]":
    """The same future, which fails with Unavailable where the database takes longer to answer than clients wait.

    A connection that was dropped without a word is found out later than that. A timer for the future costs a third of
    what asyncio.timeout does for its task, and each read that is not answered from memory comes through here.
    """
    if settings.ANSWER_SECONDS is not None:
        timer = reading.get_loop().call_later(settings.ANSWER_SECONDS, _give_up, reading)
        reading.add_done_callback(lambda _: timer.cancel())
    return reading


def _pass_on(looked: "asyncio.Future[None]", task: "asyncio.Task[None]") -> None:
    if looked.done():
        return
    error = None if task.cancelled() else task.exception()
    if error is not None:
        looked.set_exception(error)
    else:
        looked.set_result(None)


def _give_up(reading: "asyncio.Future[Any]") -> None:
    if not reading.done():
        reading.set_exception(_late())


def _late() -> Unavailable:
    late = Unavailable(f"The database did not answer within {settings.ANSWER_SECONDS:g} s: ask again.")
    late.headers["Retry-After"] = "1"
    return late


async def write_in(threads: Threads, function: Callable[[], Result]) -> Result:
    """Run a function that writes to the database, and return its result."""
    return await threads.run(partial(_write, function))


def read(function: Callable[[], Result]) -> Result:
    """Run it, and once more when the connection was lost: a ping before each read would cost as much as the read.

    SQLite's file is checked before, which costs nothing.
    """
    if connection.vendor == "sqlite":
        close_old_connections()
    try:
        return function()
    except (InterfaceError, OperationalError):
        if connection.connection is None or connection.is_usable():
            raise
        connection.close()
        return function()


def _write(function: Callable[[], Result]) -> Result:
    close_old_connections()
    return function()
