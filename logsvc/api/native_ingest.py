"""Takes records over HTTP before Django: the token is checked before the body is read."""

import asyncio
from functools import partial

from django.conf import settings

from config import problems
from config.headers import header
from config.hybrid import Handler, Receive, Scope, Send, read_body, respond
from config.tokens import gate
from config.tokens.gate import note_in_native_lane
from logsvc.ingest import receive as receiving
from logsvc.ingest.formats import FORMATS
from logsvc.ingest.receive import Head
from logsvc.server import Server, server


class Lane:
    def __init__(self, server: Server = server) -> None:
        self._server = server

    def __call__(self, scope: Scope) -> Handler | None:
        if scope["method"] != "POST" or scope["path"] not in FORMATS:
            return None
        return self._receive

    async def _receive(self, scope: Scope, receive: Receive, send: Send) -> None:
        head = Head(
            format=FORMATS[scope["path"]],
            query=scope["query_string"].decode("latin-1"),
            content_type=header(scope, b"content-type").decode("latin-1"),
            content_encoding=header(scope, b"content-encoding").decode("latin-1"),
        )
        try:
            holder = await self._server.holder(scope)
            gate.current().admit(holder)
            receiving.check(head, holder)
            body = await read_body(scope, receive, limit_bytes=settings.BODY_LIMIT_BYTES)
            batch, prepared = await self._server.read(
                partial(receiving.prepare, head, body, holder=holder), holder=holder
            )
            # The writer bounds what waits to be stored: the body must not wait beside it.
            del body
            if batch.accepted:
                stored = self._server.writer.submit(prepared, batch.size_bytes)
                await asyncio.shield(asyncio.wrap_future(stored))
            response = receiving.accept(head, batch)
        except Exception as error:
            problem = problems.from_exception(error)
            if problem is None:
                raise
            note_in_native_lane(scope, problem)
            # In the format's own words, which the raising code does not know.
            response = receiving.refuse(head, problem)
        await respond(send, response)


lane = Lane()
