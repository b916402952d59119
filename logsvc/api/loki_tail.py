"""GET /loki/api/v1/tail: Loki's live tail, as a WebSocket of JSON messages."""

import asyncio
import time
from collections.abc import Callable
from functools import partial
from typing import TypeVar
from urllib.parse import parse_qsl

import msgspec
from django.db import close_old_connections

from config.hybrid import Handler, Receive, Scope, Send
from config.problems import Problem
from config.threads import Abandoned, Threads
from config.tokens import gate
from logsvc import access
from logsvc.access import Services
from logsvc.api.loki import read_limit, read_moment
from logsvc.api.tail import Head
from logsvc.ingest.lane import Holders, Run
from logsvc.loki import answers, engine, labels, logql
from logsvc.loki.engine import Line, Pipeline
from logsvc.loki.logql import LogQuery
from logsvc.storage.current import store
from logsvc.storage.interface import Range

T = TypeVar("T")
PATH = "/loki/api/v1/tail"
RECORDS_PER_READ = 500
# How long a revoked token's tail may go on, at most.
CHECK_SECONDS = 15.0
SEND_SECONDS = 30.0


class Lane:
    def __init__(self, run: Run | None = None) -> None:
        self._in_thread = run or Threads(2).run
        self._holders = Holders(run or Threads(1).run)
        self._heads: dict[asyncio.AbstractEventLoop, Head] = {}

    def __call__(self, scope: Scope) -> Handler | None:
        return self._tail if scope["path"] == PATH else None

    async def _tail(self, scope: Scope, receive: Receive, send: Send) -> None:
        holder = await self._holders.of(scope)
        gate.current().admit(holder)
        readable = access.readable(holder)
        parameters = dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True))
        query = logql.log_query(parameters.get("query", ""))
        limit, start_ns = read_limit(parameters), read_moment(parameters, "start", time.time_ns())
        await receive()
        await send({"type": "websocket.accept"})
        with gate.current().limits.hold(holder, "streams"):
            # Before the past is read, so that what comes meanwhile is in what follows.
            cursor = await self._run(lambda: store().head())
            within = Range(from_ns=start_ns, to_ns=time.time_ns())
            past = partial(engine.lines, query, readable=readable, within=within, limit=limit)
            await _push(send, (await self._run(past))[::-1])
            await self._follow(scope, receive, send, query, readable, cursor)

    async def _follow(
        self, scope: Scope, receive: Receive, send: Send, query: LogQuery, readable: Services, cursor: int
    ) -> None:
        narrowed, pipeline = readable.restrict(labels.narrowed(query)), Pipeline(query)
        gone = asyncio.create_task(_leave(receive))
        try:
            while not gone.done():
                try:
                    access.readable(await self._holders.of(scope))
                except Problem as error:
                    await send({"type": "websocket.close", "code": 1008, "reason": error.detail[:100]})
                    return
                found = await self._run(partial(store().tail, after_seq=cursor, query=narrowed, limit=RECORDS_PER_READ))
                await _push(send, [line for record in found.records if (line := pipeline.line(record))])
                if found.cursor != cursor:
                    cursor = found.cursor
                    continue
                waiting = asyncio.ensure_future(self._head().beyond(cursor, seconds=CHECK_SECONDS))
                await asyncio.wait({gone, waiting}, return_when=asyncio.FIRST_COMPLETED)
                waiting.cancel()
        finally:
            gone.cancel()

    def _head(self) -> Head:
        return self._heads.setdefault(asyncio.get_running_loop(), Head(self._run))

    async def _run(self, function: Callable[[], T]) -> T:
        found: T = await self._in_thread(partial(_fresh, function))
        return found


async def _push(send: Send, lines: list[Line]) -> None:
    if not lines:
        return
    message = msgspec.json.encode({"streams": answers.streams(lines, is_categorized=False), "dropped_entries": []})
    try:
        await asyncio.wait_for(send({"type": "websocket.send", "text": message.decode()}), SEND_SECONDS)
    except TimeoutError as error:
        raise Abandoned from error


async def _leave(receive: Receive) -> None:
    while (await receive())["type"] != "websocket.disconnect":
        pass


def _fresh(function: Callable[[], T]) -> T:
    close_old_connections()
    return function()


lane = Lane()
