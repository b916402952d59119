"""Registrations, beats, deregistrations, maintenance and draining, answered before Django: its handler and REST
framework cost several times what storing does.

Requests left to Django are answered by registry/api/instances.py and batch.py, from the same functions.
"""

import asyncio
import re
from concurrent.futures import Future
from functools import partial
from typing import Any

import msgspec
from django.conf import settings
from msgspec import Struct

from config.bodies import has_body
from config.headers import header
from config.hybrid import Handler, Receive, Scope, Send, read_body, respond
from config.parsers import decode
from config.problems import RawResponse
from config.tokens import acting, gate
from config.tokens.holder import Holder
from config.tokens.permissions import lacking
from registry.api import bodies
from registry.api.parameters import BeatReport, DeregisterQuery, DrainBody, MaintenanceBody, beat_of
from registry.discovery import queries
from registry.discovery.etags import NOSNIFF
from registry.health import results
from registry.instances import batch, overrides, permissions, registration
from registry.instances.batch import Batch
from registry.instances.declaration import check_names
from registry.instances.group_commit import Item, Outcome, Store
from registry.instances.overrides import DrainOrder, MaintenanceOrder, Order
from registry.instances.permissions import changeable
from registry.instances.registration import Departure, Registered
from registry.journal import log
from registry.models import InstanceKey
from registry.server import Server, server
from registry.wire.bodies import registered_instance
from registry.wire.validation import convert

INSTANCE = re.compile(r"/v1/services/([^/]+)/instances/([^/]+)(/heartbeat|/maintenance|/drain)?")
SERVICE = re.compile(r"/v1/services/([^/]+)()(/maintenance)")
BATCH = "/v1/registrations:batch"
# Left to Django, which finds out whom the journal has to name.
ACT_FOR = acting.HEADER.lower().encode()
_HEADERS = ((b"content-type", b"application/json"), NOSNIFF)


# An answer with more providers is encoded in a thread of its own: 10,000 take 25 ms, in which the loop answers nobody.
MOST_PROVIDERS_IN_LOOP = 100


class Lane:
    def __init__(self, server: Server = server) -> None:
        self._server = server
        self._handlers = {
            ("PUT", ""): self._register,
            ("DELETE", ""): self._deregister,
            ("PUT", "/heartbeat"): self._beat,
            ("PUT", "/maintenance"): self._begin_maintenance,
            ("DELETE", "/maintenance"): self._end_maintenance,
            ("POST", "/drain"): self._drain,
        }

    def __call__(self, scope: Scope) -> Handler | None:
        method, path = scope["method"], scope["path"]
        if method not in ("PUT", "POST", "DELETE") or header(scope, ACT_FOR):
            return None
        if method == "POST" and path == BATCH:
            return self._register_many if _is_json(scope) and not scope["query_string"] else None
        match = INSTANCE.fullmatch(path) or SERVICE.fullmatch(path)
        if match is None:
            return None
        service, instance, what = match.groups()
        handler = self._handlers.get((method, what or ""))
        if handler is None:
            return None
        if method == "DELETE":
            # A deregistration alone may name a query.
            is_plain = not has_body(scope) and not (what and scope["query_string"])
        else:
            is_plain = not scope["query_string"] and (_is_json(scope) or (bool(what) and not has_body(scope)))
        return partial(handler, service, instance) if is_plain else None

    async def _register(self, service: str, instance: str, scope: Scope, receive: Receive, send: Send) -> None:
        holder = await self._holder(scope)
        key = changeable(service, instance, holder=holder)
        entry = permissions.entry(key, _members(await _body(scope, receive)), holder=holder)
        registered = await self._stored(registration.store_all, entry)
        answer = partial(_registered, registered)
        if sum(map(len, registered.providers.values())) <= MOST_PROVIDERS_IN_LOOP:
            await respond(send, answer())
        else:
            await respond(send, await self._server.answering.run(answer))

    async def _deregister(self, service: str, instance: str, scope: Scope, receive: Receive, send: Send) -> None:
        holder = await self._holder(scope)
        key = changeable(service, instance, holder=holder)
        query = queries.parse(DeregisterQuery, scope["query_string"].decode("latin-1"))
        departure = Departure(key=key, author=holder.name, incarnation=query.incarnation)
        removed = await self._stored(registration.remove_all, departure)
        await respond(send, _done(revision=removed.revision))

    async def _beat(self, service: str, instance: str, scope: Scope, receive: Receive, send: Send) -> None:
        holder = await self._holder(scope)
        key = changeable(service, instance, holder=holder)
        report = convert(_members(await _body(scope, receive)), BeatReport)
        revision = await self._stored(results.take_beats, beat_of(key, report, author=holder.name))
        await respond(send, _done(revision=revision))

    async def _begin_maintenance(self, service: str, instance: str, scope: Scope, receive: Receive, send: Send) -> None:
        holder = await self._operator(service, instance, scope)
        wanted = convert(_members(await _body(scope, receive)), MaintenanceBody)
        key = InstanceKey(service=service, instance=instance)
        order = MaintenanceOrder(key=key, until=wanted.until, reason=wanted.reason, author=holder.name)
        await self._stored(overrides.begin_all, order)
        await respond(send, _done(revision=await self._head()))

    async def _end_maintenance(self, service: str, instance: str, scope: Scope, receive: Receive, send: Send) -> None:
        holder = await self._operator(service, instance, scope)
        order = Order(key=InstanceKey(service=service, instance=instance), author=holder.name)
        await self._stored(overrides.end_all, order)
        await respond(send, _done(revision=await self._head()))

    async def _drain(self, service: str, instance: str, scope: Scope, receive: Receive, send: Send) -> None:
        holder = await self._holder(scope)
        key = changeable(service, instance, holder=holder)
        wanted = convert(_members(await _body(scope, receive)), DrainBody)
        order = DrainOrder(key=key, seconds=wanted.seconds, reason=wanted.reason, author=holder.name)
        drained = await self._stored(overrides.drain_all, order)
        await respond(send, _response(200, registered_instance(drained), revision=drained.revision))

    async def _operator(self, service: str, instance: str, scope: Scope) -> Holder:
        """The holder of a token that may operate; an empty instance stands for all of the service."""
        holder = await self._holder(scope)
        if not holder.may("operate"):
            raise lacking(holder, "operate")
        check_names(service=service, **({"instance": instance} if instance else {}))
        return holder

    async def _head(self) -> int:
        """The newest revision, read after the write: a client that asks for at least this one reads its own write."""
        revision: int = await self._server.reader().run(log.head)
        return revision

    async def _stored(self, store: Store[Item, Outcome], item: Item) -> Outcome:
        loop = asyncio.get_running_loop()
        # Not what asyncio makes of the other: what has been handed in is stored though nobody waits for it any more.
        outcome: asyncio.Future[Outcome] = loop.create_future()
        stored = self._server.group_commit.submit(store, item)
        stored.add_done_callback(partial(_hand_over, loop, outcome))
        return await outcome

    async def _register_many(self, scope: Scope, receive: Receive, send: Send) -> None:
        holder = await self._holder(scope)
        body = await _body(scope, receive)
        await respond(send, await self._server.write(partial(_registered_many, body, holder)))

    async def _holder(self, scope: Scope) -> Holder:
        holder = await self._server.reader().holder(header(scope, b"authorization").decode("latin-1"))
        gate.current().admit(holder)
        return holder


def _hand_over(loop: asyncio.AbstractEventLoop, outcome: "asyncio.Future[Any]", stored: "Future[Any]") -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(_settle, outcome, stored)


def _settle(outcome: "asyncio.Future[Any]", stored: "Future[Any]") -> None:
    if outcome.done():
        return
    error = stored.exception()
    if error is None:
        outcome.set_result(stored.result())
    else:
        outcome.set_exception(error)


def _registered(registered: Registered) -> RawResponse:
    status = 201 if registered.is_new else 200
    return _response(status, bodies.registration(registered), revision=registered.revision)


def _registered_many(body: bytes, holder: Holder) -> RawResponse:
    """The whole request, in a thread: decoding and encoding so many would hold up the event loop."""
    wanted = convert(_members(body), Batch)
    answer = bodies.batch(batch.register(wanted, holder=holder))
    return _response(200, answer, revision=log.head() if answer.revision is None else answer.revision)


def _done(*, revision: int) -> RawResponse:
    return RawResponse(status=204, headers=(NOSNIFF, (b"rollcall-revision", b"%d" % revision)), body=b"")


async def _body(scope: Scope, receive: Receive) -> bytes:
    return await read_body(scope, receive, limit_bytes=settings.BODY_LIMIT_BYTES)


def _members(body: bytes) -> Any:
    return decode(body) if body else {}


def _response(status: int, body: Struct, *, revision: int) -> RawResponse:
    headers = (*_HEADERS, (b"rollcall-revision", b"%d" % revision))
    return RawResponse(status=status, headers=headers, body=msgspec.json.encode(body))


def _is_json(scope: Scope) -> bool:
    return header(scope, b"content-type").partition(b";")[0].strip().lower() == b"application/json"


lane = Lane()
