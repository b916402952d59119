"""Registrations, beats, deregistrations, maintenance and draining, answered before Django: its handler and REST
framework cost several times what storing does.

Requests left to Django are answered by registry/api/instances.py and batch.py, from the same functions.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from functools import partial
from typing import Any, NamedTuple

import msgspec
from django.conf import settings
from msgspec import Struct

from config.bodies import has_body
from config.headers import header
from config.hybrid import Handler, Receive, Scope, Send, read_body, respond
from config.parsers import decode
from config.problems import RawResponse, Unauthenticated
from config.tokens import acting, gate
from config.tokens.holder import Holder
from config.tokens.permissions import lacking
from registry.api import bodies
from registry.api.parameters import BeatReport, DeregisterQuery, DrainBody, MaintenanceBody, beat_of
from registry.discovery import queries
from registry.discovery.etags import NOSNIFF
from registry.discovery.token_cache import token_digest
from registry.health import results
from registry.instances import batch, overrides, permissions, registration
from registry.instances.allowance import Allowance
from registry.instances.batch import Batch
from registry.instances.declaration import check_names
from registry.instances.group_commit import Store, Write
from registry.instances.overrides import DrainOrder, MaintenanceOrder, Order
from registry.instances.permissions import changeable
from registry.instances.registration import Departure, Registered
from registry.journal import log
from registry.models import Instance, InstanceKey
from registry.server import Server, server
from registry.wire.bodies import registered_instance
from registry.wire.validation import convert

INSTANCE = re.compile(r"/v1/services/([^/]+)/instances/([^/]+)(/heartbeat|/maintenance|/drain)?")
SERVICE = re.compile(r"/v1/services/([^/]+)()(/maintenance)")
BATCH = "/v1/registrations:batch"
# Requests with this header are left to Django, which finds out the person for the journal.
ACT_FOR = acting.HEADER.lower().encode()
_HEADERS = ((b"content-type", b"application/json"), NOSNIFF)


# An answer with more providers is encoded in a thread of its own: 10,000 take 25 ms, in which the loop answers nobody.
MOST_PROVIDERS_IN_LOOP = 100


class Change(NamedTuple):
    """A change that is asked for: how it is stored, and what answers its outcome."""

    store: Store[Any, Any]
    item: Write
    answer: Callable[[Any], RawResponse | Awaitable[RawResponse]]


class Kind(NamedTuple):
    """A kind of change.

    `key` returns what the holder may change, by the names in the address, and raises Problem. `change` makes the change
    of a body and a query, and raises Problem.
    """

    key: Callable[..., InstanceKey]
    change: Callable[[InstanceKey, bytes, bytes, Holder], Change]


class Asked(NamedTuple):
    kind: Kind
    service: str
    instance: str


class Lane:
    def __init__(self, server: Server = server) -> None:
        self._server = server
        self._kinds = {
            ("PUT", ""): Kind(changeable, self._registration),
            ("DELETE", ""): Kind(changeable, _departure),
            ("PUT", "/heartbeat"): Kind(changeable, _beat),
            ("PUT", "/maintenance"): Kind(_operable, self._maintenance),
            ("DELETE", "/maintenance"): Kind(_operable, self._end_of_maintenance),
            ("POST", "/drain"): Kind(changeable, _drain),
        }

    def __call__(self, scope: Scope) -> Handler | None:
        if scope["path"] == BATCH and scope["method"] == "POST":
            is_plain = _is_json(scope) and not scope["query_string"] and not header(scope, ACT_FOR)
            return self._register_many if is_plain else None
        asked = self._asked(scope)
        return None if asked is None else partial(self._change, asked)

    def answer_soon(self, scope: Scope, body: bytes) -> "asyncio.Future[RawResponse] | None":
        """The answer to a change by a token that is known already. Raises Problem for what is not stored."""
        asked = self._asked(scope)
        if asked is None:
            return None
        try:
            digest = token_digest(header(scope, b"authorization").decode("latin-1"))
        except Unauthenticated:
            return None
        reader = self._server.reader()
        holder = reader.holders.known(digest, now=reader.now())
        # What is refused for its token is refused, and counted, where it is answered.
        if holder is None or not gate.current().admits(holder):
            return None
        key = asked.kind.key(asked.service, asked.instance, holder=holder)
        return self._stored(asked.kind.change(key, body, scope["query_string"], holder))

    def _asked(self, scope: Scope) -> Asked | None:
        method, path = scope["method"], scope["path"]
        if method not in ("PUT", "POST", "DELETE") or header(scope, ACT_FOR):
            return None
        match = INSTANCE.fullmatch(path) or SERVICE.fullmatch(path)
        if match is None:
            return None
        service, instance, what = match.groups()
        kind = self._kinds.get((method, what or ""))
        if kind is None:
            return None
        if method == "DELETE":
            # A deregistration alone may name a query.
            is_plain = not has_body(scope) and not (what and scope["query_string"])
        else:
            is_plain = not scope["query_string"] and (_is_json(scope) or (bool(what) and not has_body(scope)))
        return Asked(kind, service, instance) if is_plain else None

    async def _change(self, asked: Asked, scope: Scope, receive: Receive, send: Send) -> None:
        holder = await self._holder(scope)
        key = asked.kind.key(asked.service, asked.instance, holder=holder)
        body = await _body(scope, receive)
        await respond(send, await self._stored(asked.kind.change(key, body, scope["query_string"], holder)))

    async def _register_many(self, scope: Scope, receive: Receive, send: Send) -> None:
        holder = await self._holder(scope)
        body = await _body(scope, receive)
        await respond(send, await self._server.write(partial(_registered_many, body, holder)))

    async def _holder(self, scope: Scope) -> Holder:
        holder = await self._server.reader().holder(header(scope, b"authorization").decode("latin-1"))
        gate.current().admit(holder)
        return holder

    def _registration(self, key: InstanceKey, body: bytes, query: bytes, holder: Holder) -> Change:
        entry = permissions.entry(key, _members(body), holder=holder, allowance=Allowance(holder))
        return Change(registration.store_all, entry, self._registered)

    def _registered(self, registered: Registered) -> RawResponse | Awaitable[RawResponse]:
        if sum(map(len, registered.providers.values())) <= MOST_PROVIDERS_IN_LOOP:
            return _registered(registered)
        return self._server.answering.submit(partial(_registered, registered))

    def _maintenance(self, key: InstanceKey, body: bytes, query: bytes, holder: Holder) -> Change:
        wanted = convert(_members(body), MaintenanceBody)
        order = MaintenanceOrder(key=key, until=wanted.until, reason=wanted.reason, author=holder.name)
        return Change(overrides.begin_all, order, self._done_at_head)

    def _end_of_maintenance(self, key: InstanceKey, body: bytes, query: bytes, holder: Holder) -> Change:
        return Change(overrides.end_all, Order(key=key, author=holder.name), self._done_at_head)

    async def _done_at_head(self, outcome: object) -> RawResponse:
        """The answer with the newest revision, read after the write: a read with `at_least` of it sees the write."""
        return _done(revision=await self._server.reader().run(log.head))

    def _stored(self, change: Change) -> "asyncio.Future[RawResponse]":
        """Store the change, even if its client no longer waits for the answer."""
        loop = asyncio.get_running_loop()
        answered: asyncio.Future[RawResponse] = loop.create_future()
        stored = self._server.group_commit.submit(change.store, change.item)
        stored.add_done_callback(partial(_hand_over, loop, partial(_answer, answered, change.answer)))
        return answered


def _departure(key: InstanceKey, body: bytes, query: bytes, holder: Holder) -> Change:
    asked = queries.parse(DeregisterQuery, query.decode("latin-1"))
    departure = Departure(key=key, author=holder.name, incarnation=asked.incarnation, allowance=Allowance(holder))
    return Change(registration.remove_all, departure, lambda removed: _done(revision=removed.revision))


def _beat(key: InstanceKey, body: bytes, query: bytes, holder: Holder) -> Change:
    report = convert(_members(body), BeatReport)
    return Change(
        results.take_beats, beat_of(key, report, author=holder.name, holder=holder), lambda at: _done(revision=at)
    )


def _drain(key: InstanceKey, body: bytes, query: bytes, holder: Holder) -> Change:
    wanted = convert(_members(body), DrainBody)
    order = DrainOrder(
        key=key, seconds=wanted.seconds, reason=wanted.reason, author=holder.name, allowance=Allowance(holder)
    )
    return Change(overrides.drain_all, order, _drained)


def _drained(instance: Instance) -> RawResponse:
    return _response(200, registered_instance(instance), revision=instance.revision)


def _operable(service: str, instance: str, *, holder: Holder) -> InstanceKey:
    """The key of what a token may hold back, with an empty instance all of a service. Raises Forbidden, Invalid."""
    if not holder.may("operate"):
        raise lacking(holder, "operate")
    check_names(service=service, **({"instance": instance} if instance else {}))
    return InstanceKey(service=service, instance=instance)


def _hand_over(loop: asyncio.AbstractEventLoop, settle: "Callable[[Future[Any]], None]", stored: "Future[Any]") -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(settle, stored)


def _answer(
    answered: "asyncio.Future[RawResponse]",
    answer: Callable[[Any], RawResponse | Awaitable[RawResponse]],
    stored: "Future[Any]",
) -> None:
    if answered.done():
        return
    try:
        made = answer(stored.result())
    except Exception as error:
        answered.set_exception(error)
        return
    if isinstance(made, RawResponse):
        answered.set_result(made)
    else:
        asyncio.ensure_future(made).add_done_callback(partial(_pass_on, answered))


def _pass_on(answered: "asyncio.Future[RawResponse]", made: "asyncio.Future[RawResponse]") -> None:
    # Retrieved even if no client waits any more: asyncio logs an error that nobody retrieves.
    error = None if made.cancelled() else made.exception()
    if answered.done() or made.cancelled():
        return
    if error is None:
        answered.set_result(made.result())
    else:
        answered.set_exception(error)


def _registered(registered: Registered) -> RawResponse:
    status = 201 if registered.is_new else 200
    return _response(status, bodies.registration(registered), revision=registered.revision)


def _registered_many(body: bytes, holder: Holder) -> RawResponse:
    """The whole request, in a thread: decoding and encoding this many would hold up the event loop."""
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
