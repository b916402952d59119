"""Registrations, answered before Django: its handler and REST framework's views cost several times what storing does.

What this leaves to Django is answered by registry/api/ in the same words, from the same functions.
"""

import asyncio
import re
from collections.abc import Callable
from functools import partial
from typing import Any

import msgspec
from django.conf import settings

from config.hybrid import Handler, Receive, Scope, Send, read_body, respond
from config.parsers import decode
from config.problems import RawResponse
from config.tokens.issuing import Holder
from registry import declaration
from registry.declaration import NAME
from registry.enrolment import Entry
from registry.reading import reader
from registry.reading.conditions import NOSNIFF
from registry.reading.reader import Reader
from registry.writing import batch, bodies
from registry.writing.batch import Batch
from registry.writing.intake import intake
from registry.writing.scope import changeable

INSTANCE = re.compile(f"/v1/services/({NAME.pattern})/instances/({NAME.pattern})")
BATCH = "/v1/registrations:batch"
_HEADERS = ((b"content-type", b"application/json"), NOSNIFF)


class Lane:
    def __init__(self, running: Callable[[], Reader] = reader.running) -> None:
        self._running = running

    def __call__(self, scope: Scope) -> Handler | None:
        method, path = scope["method"], scope["path"]
        if scope["query_string"] or method not in ("PUT", "POST") or not _is_json(scope):
            return None
        if method == "POST":
            return self._register_many if path == BATCH else None
        match = INSTANCE.fullmatch(path)
        return partial(self._register, match[1], match[2]) if match else None

    async def _register(self, service: str, instance: str, scope: Scope, receive: Receive, send: Send) -> None:
        holder = await self._holder(scope)
        target = changeable(service, instance, holder=holder)
        declared = declaration.declaration(await _members(scope, receive))
        stored = intake.submit(Entry(target=target, declared=declared, author=holder.name))
        registered = await asyncio.shield(asyncio.wrap_future(stored))
        await _answer(send, 201 if registered.is_new else 200, bodies.registration(registered))

    async def _register_many(self, scope: Scope, receive: Receive, send: Send) -> None:
        holder = await self._holder(scope)
        wanted = declaration.convert(await _members(scope, receive), Batch)
        outcomes = await self._running().run(partial(batch.register, wanted, holder=holder))
        await _answer(send, 200, bodies.batch(outcomes))

    async def _holder(self, scope: Scope) -> Holder:
        return await self._running().holder(_header(scope, b"authorization").decode("latin-1"))


async def _members(scope: Scope, receive: Receive) -> Any:
    body = await read_body(scope, receive, limit_bytes=settings.BODY_LIMIT_BYTES)
    return decode(body) if body else {}


async def _answer(send: Send, status: int, body: dict[str, Any]) -> None:
    revision = body["revision"]
    revised = () if revision is None else ((b"rollcall-revision", b"%d" % revision),)
    await respond(send, RawResponse(status=status, headers=(*_HEADERS, *revised), body=msgspec.json.encode(body)))


def _is_json(scope: Scope) -> bool:
    return _header(scope, b"content-type").partition(b";")[0].strip().lower() == b"application/json"


def _header(scope: Scope, name: bytes) -> bytes:
    return next((value for key, value in scope["headers"] if key == name), b"")


lane = Lane()
