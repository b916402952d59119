"""GET /api/v1/logs/tail: records as they arrive, as server-sent events whose ids a client resumes from."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar
from urllib.parse import parse_qsl

import msgspec
from django.db import close_old_connections

from config.hybrid import Handler, Receive, Scope, Send
from config.problems import MethodNotAllowed, Problem, Unavailable
from config.threads import Abandoned, Threads
from config.tokens import gate
from config.tokens.holder import Holder
from logsvc import access, representation
from logsvc.ingest.lane import Holders, Run, header
from logsvc.parameters import HIGHEST_ID, Parameters, between
from logsvc.query import ast, parser
from logsvc.storage.current import store
from logsvc.storage.interface import Tail

T = TypeVar("T")
PATH = "/api/v1/logs/tail"
METHODS = ("GET", "HEAD")
HEARTBEAT_SECONDS = 15.0
# How often the store is asked whether there is anything new, once for all who wait.
LOOK_SECONDS = 0.25
# A client that takes nothing for so long is cut off.
SEND_SECONDS = 30.0
RECORDS_PER_READ = 500
TAILS_AT_MOST = 1000
_HEADERS = (
    (b"content-type", b"text/event-stream"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
    (b"x-content-type-options", b"nosniff"),
)


class Head:
    """The store's newest arrival, looked at by one task while anybody waits. Lives on one event loop."""

    def __init__(self, run: Callable[[Callable[[], int]], Awaitable[int]]) -> None:
        self._run = run
        self._seq = -1
        self._news = asyncio.Event()
        self._watch: asyncio.Task[None] | None = None
        self._waiting = 0

    async def beyond(self, seq: int, *, seconds: float) -> bool:
        """Wait until there is more than `seq`; False when there is not within `seconds`."""
        self._waiting += 1
        if self._watch is None or self._watch.done():
            self._watch = asyncio.create_task(self._look())
        ends_at = time.monotonic() + seconds
        try:
            while self._seq <= seq:
                left = ends_at - time.monotonic()
                if left <= 0:
                    return False
                try:
                    await asyncio.wait_for(self._news.wait(), left)
                except TimeoutError:
                    return self._seq > seq
            return True
        finally:
            self._waiting -= 1

    async def _look(self) -> None:
        while self._waiting:
            try:
                seq = await self._run(lambda: store().head())
            except Exception:
                # The next look tries again; each tail says by its own read what is wrong.
                seq = self._seq
            if seq != self._seq:
                self._seq = seq
                self._news.set()
                self._news = asyncio.Event()
            await asyncio.sleep(LOOK_SECONDS)


class Lane:
    def __init__(self, run: Run | None = None) -> None:
        self._in_thread = run or Threads(2).run
        self._holders = Holders(run or Threads(1).run)
        self._heads: dict[asyncio.AbstractEventLoop, Head] = {}
        self._open = 0

    def __call__(self, scope: Scope) -> Handler | None:
        if scope["path"] != PATH:
            return None
        if scope["method"] not in METHODS:
            raise MethodNotAllowed(f"{PATH} takes GET and HEAD.", allowed=METHODS)
        return self._tail

    async def _tail(self, scope: Scope, receive: Receive, send: Send) -> None:
        holder = await self._holders.of(scope)
        gate.current().admit(holder)
        query, cursor = _question(scope, holder)
        if self._open >= TAILS_AT_MOST:
            raise Unavailable(f"{TAILS_AT_MOST} tails are open: try again later.")
        self._open += 1
        try:
            with gate.current().limits.hold(holder, "streams"):
                await self._stream(scope, receive, send, query, cursor)
        finally:
            self._open -= 1

    async def _stream(self, scope: Scope, receive: Receive, send: Send, query: ast.Query, cursor: int | None) -> None:
        if cursor is None:
            cursor = await self._run(lambda: store().head())
        await send({"type": "http.response.start", "status": 200, "headers": list(_HEADERS)})
        if scope["method"] != "HEAD":
            await self._follow(scope, receive, send, query, cursor)
        await send({"type": "http.response.body", "body": b""})

    async def _follow(self, scope: Scope, receive: Receive, send: Send, query: ast.Query, cursor: int) -> None:
        gone = asyncio.create_task(_leave(receive))
        try:
            await _take(send, b"retry: 1000\n" + _event("cursor", cursor, {"cursor": cursor}))
            while not gone.done():
                try:
                    access.readable(await self._holders.of(scope))
                except Problem as error:
                    await _take(send, _event("revoked", cursor, {"detail": error.detail}))
                    return
                found = await self._run(partial(store().tail, after_seq=cursor, query=query, limit=RECORDS_PER_READ))
                await _take(send, _events(found, cursor))
                if found.cursor != cursor:
                    cursor = found.cursor
                    continue
                waiting = asyncio.ensure_future(self._head().beyond(cursor, seconds=HEARTBEAT_SECONDS))
                await asyncio.wait({gone, waiting}, return_when=asyncio.FIRST_COMPLETED)
                if not waiting.done():
                    waiting.cancel()
                elif not waiting.result():
                    await _take(send, b": heartbeat\nid: %d\n\n" % cursor)
        finally:
            gone.cancel()

    def _head(self) -> Head:
        return self._heads.setdefault(asyncio.get_running_loop(), Head(self._run))

    async def _run(self, function: Callable[[], T]) -> T:
        result: T = await self._in_thread(partial(_fresh, function))
        return result


def _question(scope: Scope, holder: Holder) -> tuple[ast.Query, int | None]:
    members = dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True))
    # A browser says itself where it was when it reconnects, which is later than what the address says.
    last = header(scope, b"last-event-id")
    if last:
        members["cursor"] = last
    parameters = Parameters(members)
    query = parameters.get("q", parser.parse, ast.EVERYTHING)
    cursor = parameters.get("cursor", between(0, HIGHEST_ID), None)
    parameters.check()
    return access.readable(holder).restrict(query), cursor


def _events(found: Tail, cursor: int) -> bytes:
    events = []
    if not found.is_gapless:
        detail = "Retention has deleted records that came after this cursor: some may be missing here."
        events.append(_event("gap", cursor, {"after": cursor, "detail": detail}))
    events += [_event("record", each.seq, representation.record_body(each)) for each in found.records]
    if found.cursor != (found.records[-1].seq if found.records else cursor):
        # Moves the place to resume from past what does not match.
        events.append(b"id: %d\n\n" % found.cursor)
    return b"".join(events)


def _event(name: str, seq: int, members: dict[str, object]) -> bytes:
    return b"id: %d\nevent: %b\ndata: %b\n\n" % (seq, name.encode(), msgspec.json.encode(members))


async def _take(send: Send, chunk: bytes) -> None:
    if not chunk:
        return
    try:
        await asyncio.wait_for(send({"type": "http.response.body", "body": chunk, "more_body": True}), SEND_SECONDS)
    except TimeoutError as error:
        raise Abandoned from error


async def _leave(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _fresh(function: Callable[[], T]) -> T:
    close_old_connections()
    return function()


lane = Lane()
