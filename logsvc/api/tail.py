"""GET /api/v1/logs/tail: records as they arrive, as server-sent events whose ids a client resumes from."""

import asyncio
from functools import partial
from urllib.parse import parse_qsl

import msgspec

from config.exchange import disconnected
from config.headers import header
from config.hybrid import Handler, Receive, Scope, Send
from config.problems import MethodNotAllowed, Problem, Unavailable
from config.threads import Abandoned
from config.tokens import gate
from logsvc import access, representation
from logsvc.parameters import HIGHEST_ID, Parameters, between
from logsvc.query import ast, parser
from logsvc.server import STREAMS, Server, server
from logsvc.storage.current import store
from logsvc.storage.interface import Tail

PATH = "/api/v1/logs/tail"
METHODS = ("GET", "HEAD")
HEARTBEAT_SECONDS = 15.0
# A client that reads nothing for this long is cut off.
SEND_SECONDS = 30.0
RECORDS_PER_READ = 500
TAILS_AT_MOST = 1000
_HEADERS = (
    (b"content-type", b"text/event-stream"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
    (b"x-content-type-options", b"nosniff"),
)


class Lane:
    def __init__(self, server: Server = server) -> None:
        self._server = server

    def __call__(self, scope: Scope) -> Handler | None:
        if scope["path"] != PATH:
            return None
        if scope["method"] not in METHODS:
            raise MethodNotAllowed(f"{PATH} takes GET and HEAD.", allowed=METHODS)
        return self._tail

    async def _tail(self, scope: Scope, receive: Receive, send: Send) -> None:
        server = self._server
        holder = await server.holder(scope)
        gate.current().admit(holder)
        members = dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True))
        # A browser that reconnects says how far it has come, which is later than what the address says.
        if last := header(scope, b"last-event-id").decode("latin-1"):
            members["cursor"] = last
        parameters = Parameters(members)
        query = access.readable(holder).restrict(parameters.get("q", parser.parse, ast.EVERYTHING))
        cursor = parameters.get("cursor", between(0, HIGHEST_ID), None)
        parameters.check()
        if server.open_tails >= TAILS_AT_MOST:
            raise Unavailable(f"{TAILS_AT_MOST} tails are open: try again later.")
        server.open_tails += 1
        try:
            with gate.current().limits.hold(holder, STREAMS):
                if cursor is None:
                    cursor = await server.ask(lambda: store().head(), holder=holder)
                await send({"type": "http.response.start", "status": 200, "headers": list(_HEADERS)})
                if scope["method"] != "HEAD":
                    await self._follow(scope, receive, send, query, cursor)
                await send({"type": "http.response.body", "body": b""})
        finally:
            server.open_tails -= 1

    async def _follow(self, scope: Scope, receive: Receive, send: Send, query: ast.Query, cursor: int) -> None:
        """Send what arrives after `cursor`, until the client is gone or its token is revoked."""
        server = self._server
        gone = asyncio.create_task(disconnected(receive))
        try:
            await _send(send, b"retry: 1000\n" + _event("cursor", cursor, {"cursor": cursor}))
            while not gone.done():
                try:
                    holder = await server.holder(scope)
                    access.readable(holder)
                except Problem as error:
                    await _send(send, _event("revoked", cursor, {"detail": error.detail}))
                    return
                found = await server.ask_in_turn(partial(_read, query, cursor), holder=holder, gone=gone)
                if found is None:
                    return
                chunk, reached = found
                await _send(send, chunk)
                if reached != cursor:
                    cursor = reached
                    continue
                waiting = asyncio.ensure_future(server.newest().beyond(cursor, seconds=HEARTBEAT_SECONDS))
                await asyncio.wait({gone, waiting}, return_when=asyncio.FIRST_COMPLETED)
                if not waiting.done():
                    waiting.cancel()
                elif not waiting.result():
                    await _send(send, b": heartbeat\nid: %d\n\n" % cursor)
        finally:
            gone.cancel()


def _read(query: ast.Query, cursor: int) -> tuple[bytes, int]:
    """Read what arrived after the cursor, as events, and the cursor after it; in a thread."""
    found = store().tail(after_seq=cursor, query=query, limit=RECORDS_PER_READ)
    return _events(found, cursor), found.cursor


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


async def _send(send: Send, chunk: bytes) -> None:
    if not chunk:
        return
    try:
        async with asyncio.timeout(SEND_SECONDS):
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
    except TimeoutError as error:
        raise Abandoned from error


lane = Lane()
