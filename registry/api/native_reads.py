"""Reads, answered before Django: from memory where that is exact, else from the database."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from functools import lru_cache, partial
from typing import Any, NamedTuple

from config.headers import header
from config.hybrid import Handler, Receive, Scope, Send, respond
from config.problems import MethodNotAllowed, RawResponse
from config.tokens import gate
from config.tokens.permissions import lacking
from registry.discovery import cache, documents, queries
from registry.discovery.documents import Document
from registry.discovery.etags import NOSNIFF, response
from registry.discovery.pages import Address, Answer, Page
from registry.discovery.reader import Reader
from registry.discovery.sse import Stream
from registry.discovery.token_cache import token_digest
from registry.errors import UnreadableEventId
from registry.server import Server, server
from registry.wire.limits import INSTANCE_PATTERN, SERVICE_PATTERN, part_of_path

_SERVICE = f"({part_of_path(SERVICE_PATTERN)})"
_INSTANCE = f"({part_of_path(INSTANCE_PATTERN)})"
_STREAM = ((b"content-type", b"text/event-stream"), (b"cache-control", b"no-store"), NOSNIFF)


class Kind(NamedTuple):
    """A kind of read: its address, its parameters, and the document they ask for."""

    pattern: re.Pattern[str]
    query: type[queries.Read]
    document: Callable[..., Document]


EVENTS = "/v1/events"
EVENTS_METHODS = ("GET", "HEAD")
# The limit on what one token may hold open: streams, and reads that wait.
STREAMS = "streams"
# The most addresses to remember, and the longest path and query of one; no read has a longer path.
MOST_KNOWN = 4096
MOST_KNOWN_LENGTH = 1024
# The scope's member that holds what is remembered of a read.
REMEMBERED = "rollcall.read"
MOST_REMEMBERED_BYTES = 8192


class Asked(NamedTuple):
    """A read as its address asks for it."""

    query: queries.Read
    document: Document
    address: Address


class Lane:
    def __init__(self, server: Server = server) -> None:
        self._server = server
        self._kinds = (
            Kind(
                re.compile(f"/v1/services/{_SERVICE}/instances"),
                queries.Instances,
                lambda query, service: documents.instances(service, query, server.rows),
            ),
            Kind(
                re.compile(f"/v1/instances/{_SERVICE}/{_INSTANCE}/providers"),
                queries.Waiting,
                lambda query, service, name: documents.providers(service, name),
            ),
            Kind(re.compile("/v1/services"), queries.Services, documents.services),
            Kind(re.compile(f"/v1/services/{_SERVICE}"), queries.Read, lambda query, name: documents.service(name)),
            Kind(
                re.compile(f"/v1/services/{_SERVICE}/instances/{_INSTANCE}"),
                queries.Read,
                lambda query, service, name: documents.instance(service, name),
            ),
            Kind(re.compile("/v1/prometheus/targets"), queries.Targets, documents.targets),
        )

        self._known_kind = lru_cache(maxsize=MOST_KNOWN)(self._find_kind)
        self._known_asked = lru_cache(maxsize=MOST_KNOWN)(self._find_asked)

    def __call__(self, scope: Scope) -> Handler | None:
        path = scope["path"]
        if path == EVENTS:
            if scope["method"] not in EVENTS_METHODS:
                raise MethodNotAllowed(f"{EVENTS} takes GET and HEAD.", allowed=EVENTS_METHODS)
            return self._events
        if scope["method"] != "GET":
            return None
        return _Read(self._server.reader(), self._asked) if self._kind_of(path) is not None else None

    def at_once(self, scope: Scope, *, has_waited: bool) -> "RawResponse | asyncio.Future[Any] | None":
        """The answer from memory, where what is there is recent enough and exact. Raises Problem.

        Before that, a consistent read waits for a look at the journal, which all share that came before it began, and
        a read that nobody has asked for yet for its making.
        """
        remembered: _Remembered | None = scope.get(REMEMBERED)
        if remembered is None:
            path, query = scope["path"], scope["query_string"]
            if self._kind_of(path) is None:
                return None
            remembered = scope[REMEMBERED] = _Remembered(scope, self._asked(path, query))
        return remembered.answer(self._server.reader(), has_waited=has_waited)

    def _kind_of(self, path: str) -> tuple[Kind, tuple[str, ...]] | None:
        return self._known_kind(path) if len(path) <= MOST_KNOWN_LENGTH else None

    def _asked(self, path: str, query_string: bytes) -> Asked:
        interpret = self._known_asked if len(query_string) <= MOST_KNOWN_LENGTH else self._find_asked
        return interpret(path, query_string)

    def _find_kind(self, path: str) -> tuple[Kind, tuple[str, ...]] | None:
        """The kind of read at that path, and the names in it."""
        for kind in self._kinds:
            match = kind.pattern.fullmatch(path)
            if match is not None:
                return kind, match.groups()
        return None

    def _find_asked(self, path: str, query_string: bytes) -> Asked:
        """Interpret the address of a read of a known kind. Raises Invalid."""
        found = self._kind_of(path)
        assert found is not None
        kind, names = found
        query = queries.parse(kind.query, query_string.decode("latin-1"))
        return Asked(query, kind.document(query, *names), cache.lasting(path, query_string))

    async def _events(self, scope: Scope, receive: Receive, send: Send) -> None:
        running = self._server.reader()
        authorization = header(scope, b"authorization").decode("latin-1")
        holder = await running.holder(authorization)
        gate.current().admit(holder)
        query = queries.parse(queries.Events, scope["query_string"].decode("latin-1"))
        if not documents.may_read(holder, query.service):
            raise lacking(holder, "read")
        # A browser sends the header when it reconnects: it has seen more than its address says.
        last_event_id, after = header(scope, b"last-event-id"), query.after
        if last_event_id:
            if not last_event_id.isdigit() or len(last_event_id) > 18:
                raise UnreadableEventId
            after = int(last_event_id)
        with gate.current().limits.hold(holder, STREAMS):
            await running.reach(at_least=None, strictly=False)
            await send({"type": "http.response.start", "status": 200, "headers": list(_STREAM)})
            if scope["method"] == "HEAD":
                await send({"type": "http.response.body", "body": b""})
                return

            def send_chunk(chunk: bytes) -> Awaitable[None]:
                return send({"type": "http.response.body", "body": chunk, "more_body": True})

            together = partial(gate.current().limits.held, holder, STREAMS)
            stream = Stream(running, send_chunk, services=query.service, header=authorization, together=together)
            await stream.follow(after=after, receive=receive)
            await send({"type": "http.response.body", "body": b""})


class _Read:
    """Answers one read."""

    def __init__(self, running: Reader, asked: Callable[[str, bytes], Asked]) -> None:
        self._reader = running
        self._asked = asked

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        authorization = header(scope, b"authorization").decode("latin-1")
        holder = await self._reader.holder(authorization)
        gate.current().admit(holder)
        query, document, address = self._asked(scope["path"], scope["query_string"])
        document.check(holder)
        await self._reader.reach(at_least=query.at_least, strictly=query.consistent or document.is_strict)
        if isinstance(query, queries.Waiting) and query.after is not None:
            services = document.services or (await self._reader.answer(address, document)).page.services
            with gate.current().limits.hold(holder, STREAMS):
                await self._reader.change(
                    services, after=query.after, seconds=query.wait_seconds, header=authorization, receive=receive
                )
            document.check(await self._reader.holder(authorization))
        answer = await self._reader.answer(address, document)
        changed_at = self._reader.revisions.last_change(answer.page.services)
        await respond(send, response(address, answer, header(scope, b"if-none-match") or None, changed_at=changed_at))


class _Remembered:
    """A read that may come again with the same headers, and its last answer where that is short."""

    __slots__ = ("_answer", "_asked", "_condition", "_digest", "_response")

    def __init__(self, scope: Scope, asked: Asked) -> None:
        self._asked = asked
        self._digest = token_digest(header(scope, b"authorization").decode("latin-1"))
        self._condition = header(scope, b"if-none-match") or None
        self._answer: tuple[Page, int, int] | None = None
        self._response: RawResponse | None = None

    def answer(self, reader: Reader, *, has_waited: bool) -> "RawResponse | asyncio.Future[Any] | None":
        """The answer or what is to be waited for, where this can tell. Raises Problem."""
        query, document, address = self._asked
        if document.content is not None or (isinstance(query, queries.Waiting) and query.after is not None):
            return None
        now = reader.now()
        holder = reader.holders.known(self._digest, now=now)
        if holder is None:
            return None
        document.check(holder)
        if not has_waited:
            if not gate.current().admits(holder):
                return None
            if query.consistent or document.is_strict:
                return reader.look_soon()
        answer = reader.known_answer(address, at_least=query.at_least, now=now)
        if answer is None:
            if not has_waited and reader.is_at(query.at_least, now=now):
                return reader.make_soon(address, document)
            # It is counted where it is answered.
            gate.current().take_back(holder)
            return None
        page, revision = answer
        made_of = page, revision, reader.revisions.last_change(page.services)
        if made_of == self._answer and self._response is not None:
            return self._response
        made = response(address, Answer(page=page, revision=revision), self._condition, changed_at=made_of[2])
        if made.length <= MOST_REMEMBERED_BYTES:
            self._answer, self._response = made_of, made
        return made


lane = Lane()
