"""The state that a serving process of the log service keeps between requests."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar
from weakref import WeakValueDictionary

from django.db import close_old_connections

from config.headers import header
from config.hybrid import Scope
from config.threads import Threads
from config.tokens import gate
from config.tokens.holder import Holder
from config.tokens.token_cache import Run, TokenCache
from config.turns import Caller
from logsvc.ingest.writer import Writer
from logsvc.newest import Newest

READING_THREADS = 1
ASKING_THREADS = 4
# The limit on the tails that one token may hold.
STREAMS = "streams"
MANY_STREAMS = 20
MOST_REST_SECONDS = 1.0

T = TypeVar("T")


class Server:
    """The writer of records, the tokens, the newest arrival that tails wait for, and the threads beside the loop.

    `run` stands for all the threads in a test.
    """

    def __init__(self, run: Run | None = None, writer: Writer | None = None) -> None:
        self.writer = writer or Writer()
        self.open_tails = 0
        # Bodies are read in threads of their own: no sender waits for a search.
        self._run = run
        self._reading = Threads(READING_THREADS)
        # One token's questions leave one of them to all others.
        self._asking = Threads(ASKING_THREADS, most_of_one=ASKING_THREADS - 1)
        self._tokens = TokenCache(run or Threads(1).run)
        # Of each token with which somebody follows the records.
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._newest: Newest | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def holder(self, scope: Scope) -> Holder:
        """The sender of a request, which is not counted here. Raises Unauthenticated."""
        return await self._tokens.holder(header(scope, b"authorization").decode("latin-1"))

    def read(self, function: Callable[[], T], *, holder: Holder) -> Awaitable[T]:
        """Read a body in a thread; its tokens take turns."""
        if self._run is not None:
            return self._run(function)
        return self._reading.run(function, caller=_caller(holder))

    async def ask(self, question: Callable[[], T], *, holder: Holder | None = None) -> T:
        """Ask the store in a thread, on a connection that works; holders of tokens take turns."""

        def on_connection() -> T:
            close_old_connections()
            return question()

        if self._run is not None:
            answer: T = await self._run(on_connection)
            return answer
        return await self._asking.run(on_connection, caller=None if holder is None else _caller(holder))

    async def ask_in_turn(self, question: Callable[[], T], *, holder: Holder, gone: "asyncio.Future[None]") -> T | None:
        """As `ask`, but one at a time of those with the same token; None once the client is gone.

        Where the token holds many streams, each turn rests for as long as it took: all others get at the store.
        """
        async with self._turns.setdefault(holder.name, asyncio.Lock()):
            if gone.done():
                return None
            loop = asyncio.get_running_loop()
            began = loop.time()
            answer = await self.ask(question, holder=holder)
            if gate.current().limits.held(holder, STREAMS) > MANY_STREAMS:
                await asyncio.wait({gone}, timeout=min(loop.time() - began, MOST_REST_SECONDS))
            return answer

    def newest(self) -> Newest:
        """The running loop's view of the newest arrival."""
        loop = asyncio.get_running_loop()
        if self._newest is None or self._loop is not loop:
            self._newest, self._loop = Newest(self.ask), loop
        return self._newest


def _caller(holder: Holder) -> Caller:
    return Caller("", holder.name.encode())


server = Server()
