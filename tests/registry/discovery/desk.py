"""A registry's lane under test: nothing is looked at unless the test says so."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from django.db import connections

from config.hybrid import Hybrid, respond
from config.problems import RawResponse
from config.tokens import issuing
from registry.api.native_reads import Lane
from registry.discovery.reader import Reader
from registry.server import Server
from tests.clocked_loop import ClockedLoop
from tests.config.asgi import Client, http_scope, hybrid
from tests.waiting import PATIENCE_SECONDS

Result = TypeVar("Result")


class Desk:
    """Its threads share the test's connection, and so see what its transaction holds."""

    def __init__(self) -> None:
        self._connection = connections["default"]
        self.made = 0
        self.answered_at_once = 0
        self._recognized: dict[Any, dict[str, Any]] = {}
        # Awaited after each making, before who asked for it goes on.
        self.on_made: Callable[[], Awaitable[None]] | None = None
        self.token = issuing.create(name="reader", scopes=["read"])
        self.reader: Reader
        self._application: Hybrid

    def run(self, scenario: "Callable[[Desk], Awaitable[None]]") -> None:
        self._connection.inc_thread_sharing()
        try:
            with asyncio.Runner(loop_factory=ClockedLoop) as runner:
                runner.run(self._run(scenario))
        finally:
            self._connection.dec_thread_sharing()

    async def do(self, function: Callable[[], Result]) -> Result:
        """Run what asks the database."""
        return await asyncio.to_thread(self._with_connection, function)

    async def get(self, address: str, *, method: str = "GET", token: str | None = None, **headers: str) -> Client:
        client = Client()
        await self.ask(client, address, method=method, token=token, **headers)
        return client

    def begin(self, address: str, client: Client, *, token: str | None = None) -> "asyncio.Task[None]":
        return asyncio.create_task(self.ask(client, address, token=token))

    async def ask(
        self, client: Client, address: str, *, method: str = "GET", token: str | None = None, **headers: str
    ) -> None:
        path, _, query = address.partition("?")
        sent = {"authorization": f"Bearer {token or self.token}", **headers}
        # A header that is sent several times has a line for each.
        lines = [(name.replace("_", "-"), line) for name, value in sent.items() for line in value.split("\n")]
        raw = [(name.encode(), line.encode()) for name, line in lines]
        # As config/http does, with a request that came before.
        scope = self._recognized.setdefault(
            (method, address, *raw), http_scope(path, method=method, query_string=query.encode(), headers=raw)
        )
        answer = self._application.at_once(scope) if method == "GET" else None
        if isinstance(answer, asyncio.Future):
            await asyncio.wait({answer})
            answer = self._application.at_once(scope, has_waited=True) if answer.exception() is None else None
        if isinstance(answer, RawResponse):
            self.answered_at_once += 1
            await respond(client.send, answer)
        else:
            await self._application(dict(scope), client.receive, client.send)

    async def look(self) -> None:
        await self.reader.watcher.look()

    def pass_time(self, seconds: float) -> None:
        """Let what waits for so long at most be at the end of its wait."""
        loop = asyncio.get_running_loop()
        assert isinstance(loop, ClockedLoop)
        loop.ahead_seconds += seconds

    async def settle(self) -> None:
        """Let everything that can go on do so."""
        for _ in range(20):
            await asyncio.sleep(0)

    async def until_waiting(self, count: int = 1) -> None:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while self.reader.waiting < count:  # noqa: ASYNC110 -- what is waited for tells nobody
                await asyncio.sleep(0)

    async def _run(self, scenario: "Callable[[Desk], Awaitable[None]]") -> None:
        self.reader = Reader(self._counted)
        # Each look of a test checks the tokens.
        self.reader.holders.recent_seconds = 0.0
        self._application = hybrid(_unreachable, [Lane(Server(lambda: self.reader))])
        await self.look()
        await scenario(self)

    async def _counted(self, function: Callable[[], Any]) -> Any:
        is_making = getattr(function, "func", function).__name__ not in ("_look", "holder", "oldest", "page")
        self.made += is_making
        found = await self.do(function)
        if is_making and self.on_made is not None:
            await self.on_made()
        return found

    def _with_connection(self, function: Callable[[], Result]) -> Result:
        connections["default"] = self._connection
        return function()


def _unreachable(environ: dict[str, Any], start_response: Any) -> Any:
    raise AssertionError(f"{environ['PATH_INFO']} was left to Django")
