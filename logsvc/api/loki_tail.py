"""GET /loki/api/v1/tail: Loki's live tail, as a WebSocket of JSON messages."""

import asyncio
import time
from functools import partial
from urllib.parse import parse_qsl

import msgspec

from config.exchange import disconnected
from config.hybrid import Handler, Receive, Scope, Send
from config.problems import Problem
from config.threads import Abandoned
from config.tokens import gate
from logsvc import access
from logsvc.access import Services
from logsvc.api.loki import read_limit, read_moment
from logsvc.loki import answers, engine, labels, logql
from logsvc.loki.engine import Line, Pipeline
from logsvc.loki.logql import LogQuery
from logsvc.server import STREAMS, Server, server
from logsvc.storage.current import store
from logsvc.storage.interface import Range

PATH = "/loki/api/v1/tail"
RECORDS_PER_READ = 500
# How long a revoked token's tail may go on, at most.
CHECK_SECONDS = 15.0
SEND_SECONDS = 30.0


class Lane:
    def __init__(self, server: Server = server) -> None:
        self._server = server

    def __call__(self, scope: Scope) -> Handler | None:
        return self._tail if scope["path"] == PATH else None

    async def _tail(self, scope: Scope, receive: Receive, send: Send) -> None:
        server = self._server
        holder = await server.holder(scope)
        gate.current().admit(holder)
        readable = access.readable(holder)
        parameters = dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True))
        query = logql.log_query(parameters.get("query", ""))
        limit, start_ns = read_limit(parameters), read_moment(parameters, "start", time.time_ns())
        await receive()
        await send({"type": "websocket.accept"})
        with gate.current().limits.hold(holder, STREAMS):
            # Before the past is read, so that what comes meanwhile is in what follows.
            cursor = await server.ask(lambda: store().head(), holder=holder)
            within = Range(from_ns=start_ns, to_ns=time.time_ns())
            past = partial(engine.lines, query, readable=readable, within=within, limit=limit)
            await _push(send, (await server.ask(past, holder=holder))[::-1])
            await self._follow(scope, receive, send, query, readable, cursor)

    async def _follow(
        self, scope: Scope, receive: Receive, send: Send, query: LogQuery, readable: Services, cursor: int
    ) -> None:
        """Send what arrives after `cursor`, until the client is gone or its token is revoked."""
        server = self._server
        narrowed, pipeline = readable.restrict(labels.narrowed(query)), Pipeline(query)
        gone = asyncio.create_task(disconnected(receive))
        try:
            while not gone.done():
                try:
                    holder = await server.holder(scope)
                    access.readable(holder)
                except Problem as error:
                    await send({"type": "websocket.close", "code": 1008, "reason": error.detail[:100]})
                    return
                read = partial(store().tail, after_seq=cursor, query=narrowed, limit=RECORDS_PER_READ)
                found = await server.ask_in_turn(read, holder=holder, gone=gone)
                if found is None:
                    return
                await _push(send, [line for record in found.records if (line := pipeline.line(record))])
                if found.cursor != cursor:
                    cursor = found.cursor
                    continue
                waiting = asyncio.ensure_future(server.newest().beyond(cursor, seconds=CHECK_SECONDS))
                await asyncio.wait({gone, waiting}, return_when=asyncio.FIRST_COMPLETED)
                waiting.cancel()
        finally:
            gone.cancel()


async def _push(send: Send, lines: list[Line]) -> None:
    if not lines:
        return
    message = msgspec.json.encode({"streams": answers.streams(lines, is_categorized=False), "dropped_entries": []})
    try:
        await asyncio.wait_for(send({"type": "websocket.send", "text": message.decode()}), SEND_SECONDS)
    except TimeoutError as error:
        raise Abandoned from error


lane = Lane()
