"""Records over HTTP, answered before Django: the token is looked at before the body is read."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from django.conf import settings
from django.db import close_old_connections

from config import headers, problems
from config.hybrid import Handler, Receive, Scope, Send, read_body, respond
from config.problems import RawResponse
from config.threads import Threads
from config.tokens import authentication, gate, issuing
from config.tokens.gate import note_in_native_lane
from config.tokens.holder import Holder
from logsvc.ingest import receive as receiving
from logsvc.ingest.batch import Batch
from logsvc.ingest.formats import FORMATS
from logsvc.ingest.receive import Head
from logsvc.ingest.writer import Writer, writer

# A revoked token is answered at most so long.
FRESH_SECONDS = 1.0
KNOWN_AT_MOST = 5000
READING_THREADS = 2
Run = Callable[[Callable[[], Any]], Awaitable[Any]]


class Holders:
    """Who holds which token, as the database had it within the last second."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._known: dict[str, tuple[Holder, float]] = {}

    async def of(self, scope: Scope) -> Holder:
        """Raises Unauthenticated."""
        token = authentication.token_of(header(scope, b"authorization"))
        digest = issuing.digest(token)
        known = self._known.get(digest)
        if known is not None and time.monotonic() - known[1] < FRESH_SECONDS:
            return known[0]
        asked_at = time.monotonic()
        holder: Holder = await self._run(partial(_holder, token))
        if len(self._known) >= KNOWN_AT_MOST:
            self._known.clear()
        self._known[digest] = (holder, asked_at)
        return holder


class Lane:
    """`run` runs a function in a thread that may ask the database."""

    def __init__(self, writer: Writer = writer, run: Run | None = None) -> None:
        self._writer = writer
        self._read = run or Threads(READING_THREADS).run
        self._holders = Holders(run or Threads(1).run)

    def __call__(self, scope: Scope) -> Handler | None:
        if scope["method"] != "POST" or scope["path"] not in FORMATS:
            return None
        return self._receive

    async def _receive(self, scope: Scope, receive: Receive, send: Send) -> None:
        head = Head(
            format=FORMATS[scope["path"]],
            query=scope["query_string"].decode("latin-1"),
            content_type=header(scope, b"content-type"),
            content_encoding=header(scope, b"content-encoding"),
        )
        try:
            response = await self._answer(head, scope, receive)
        except Exception as error:
            problem = problems.from_exception(error)
            if problem is None:
                raise
            # In the words of its format, which whoever raises cannot know.
            note_in_native_lane(scope, problem)
            response = receiving.refuse(head, problem)
        await respond(send, response)

    async def _answer(self, head: Head, scope: Scope, receive: Receive) -> RawResponse:
        holder = await self._holders.of(scope)
        gate.current().admit(holder)
        receiving.check(head, holder)
        body = await read_body(scope, receive, limit_bytes=settings.BODY_LIMIT_BYTES)
        batch: Batch = await self._read(partial(receiving.read, head, body, holder=holder))
        # What waits to be stored is bounded by the writer.
        del body
        if batch.records:
            stored = self._writer.submit(batch.records, batch.size_bytes)
            await asyncio.shield(asyncio.wrap_future(stored))
        return receiving.accept(head, batch)


def header(scope: Scope, name: bytes) -> str:
    return headers.header(scope, name).decode("latin-1")


def _holder(token: str) -> Holder:
    close_old_connections()
    return issuing.holder(token)


lane = Lane()
