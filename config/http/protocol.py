"""Uvicorn's HTTP/1.1 protocol on httptools, made strict with strangers.

It limits what the head of a request holds and how long it takes, ends connections that are only held, and answers
with problems what is no HTTP. What the application can answer at once, such as a read from memory, is written without
a task.
"""

import asyncio
import fcntl
import sys
import termios
from collections import deque
from functools import lru_cache, partial
from typing import Any, Protocol
from urllib.parse import unquote

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from config.http.cycle import Cycle, Deferred
from config.http.encoding import encode
from config.http.peers import client_of
from config.http.recognition import State, token_of
from config.problems import HeadersTooLarge, Malformed, Problem, RawResponse, TooManyRequests, UriTooLong

# As long as the parser takes.
MOST_URL_BYTES = 65_535
# The address and the headers; as much of a body's chunk extensions or trailers, of which nothing is kept, may come at
# once. What comes in one piece with the beginning is not counted.
MOST_HEAD_BYTES = 128 * 1024
MOST_HEADERS = 100
# From the connection's beginning until a request begins, and from a request's beginning until its head has come.
HEAD_SECONDS = 30.0
# From an answer until the next request begins, longer than proxies keep a connection (nginx: 60 s); and until a part of
# an answer is read, of which a slow client's system tells only after some 300 kB.
IDLE_SECONDS = 75.0
# Requests that may wait for the one before them.
MOST_WAITING = 64
# A connection that is closed with something unread is reset, and its client then may not read the answer. So the rest
# of a body whose answer was given before is read and thrown away, until the client closes its side or one of these.
MOST_LINGERING_BYTES = 16 * 1024 * 1024
LINGERING_SECONDS = 5.0
# Methods of requests that may be answered soon, once all of their body has come.
CHANGES = ("PUT", "DELETE", "POST")
# Addresses that are kept interpreted, and the longest of them.
MOST_KNOWN = 4096
MOST_KNOWN_BYTES = 512


class Application(Protocol):
    async def __call__(self, scope: Any, receive: Any, send: Any) -> None: ...

    def at_once(self, scope: Any, *, has_waited: bool = False) -> "RawResponse | asyncio.Future[Any] | None":
        """The answer to a GET without a body, where no task is needed for it.

        A future is to be waited for, and the same asked again. None: the request is to be answered as any other.
        """

    def answer_soon(self, scope: Any, body: bytes) -> "RawResponse | asyncio.Future[RawResponse] | None":
        """The answer to a change whose whole body has come, where no task is needed for it; else None."""

    def refusal(self, scope: Any, error: Exception) -> RawResponse:
        """The answer to a request that failed so."""


class StrictProtocol(HttpToolsProtocol):
    """One connection. `serving` is the request being answered; `cycle`, as uvicorn has it, the one last read."""

    app: Any
    cycle: Any
    scope: Any
    server_state: State

    def __init__(self, *arguments: Any, **members: Any) -> None:
        super().__init__(*arguments, **members)
        self.pipeline: deque[Any] = deque()
        self.serving: Cycle | Deferred | None = None
        # As if it were idle for some time: the first request has only HEAD_SECONDS to begin.
        self.waits_since = self.loop.time() - (IDLE_SECONDS - HEAD_SECONDS)
        self._unsent_bytes = 0
        self._token = b""
        # As it is noted in the server's state.
        self._unread_bytes = 0
        # What came since the request, or the last piece of its body, began.
        self._overhead_bytes = 0
        self._is_in_head = False
        # Between two requests: the next byte begins one.
        self._is_between = True
        self._has_body = False
        # The body of a change, as long as all of it comes together with its head.
        self._gathered: list[bytes] | None = None
        self._requests = 0
        self._refusal: Problem | None = None
        self._is_lingering = False
        self._thrown_away_bytes = 0

    def end_if_overdue(self, now: float) -> None:
        """Cut a connection that is held for nothing: neither a request comes nor is an answer read."""
        unsent_bytes = self.transport.get_write_buffer_size()
        if unsent_bytes:
            # The system takes from the buffer only when much of what it holds itself was read.
            unsent_bytes += _held_bytes(self.transport)
        if unsent_bytes != self._unsent_bytes:
            self.waits_since, self._unsent_bytes = now, unsent_bytes
        if self.serving is not None and not unsent_bytes:
            return
        if self._is_lingering:
            allowed_seconds = LINGERING_SECONDS
        else:
            allowed_seconds = HEAD_SECONDS if self._is_in_head else IDLE_SECONDS
        if now - self.waits_since > allowed_seconds:
            self.transport.abort()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # uvicorn narrows BaseTransport
        super().connection_made(transport)
        self.client = client_of(transport)

    def pause_writing(self) -> None:
        """Note what the client has yet to read; end the connection where its token's leave too much unread."""
        super().pause_writing()
        self._note_unread(self.transport.get_write_buffer_size())
        if self._token and self.server_state.is_glutted(self._token):
            self.transport.abort()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._note_unread(0)

    def _note_unread(self, size: int) -> None:
        if self._token:
            self.server_state.note_unread(self._token, size - self._unread_bytes)
            self._unread_bytes = size

    def connection_lost(self, exc: Exception | None) -> None:
        self.connections.discard(self)
        self._note_unread(0)
        for cycle in self._unanswered():
            cycle.disconnected = True
            cycle.arrival.set()
        self.pipeline.clear()
        self.flow.resume_writing()
        # It refers to this protocol, as this does to it.
        self.parser = None  # type: ignore[assignment]  # nothing parses after this, which uvicorn's type does not say

    def shutdown(self) -> None:
        """Answer what has come, and close."""
        if self.serving is None:
            self.transport.close()
        else:
            self._unanswered()[-1].keep_alive = False

    def data_received(self, data: bytes) -> None:
        if self._is_lingering:
            self._thrown_away_bytes += len(data)
            if self._thrown_away_bytes > MOST_LINGERING_BYTES:
                self.transport.abort()
        elif self._refusal is None and not (self._is_between and self._answer_recognized(data)):
            left = data
            while left:
                left = self._parse(left)

    def _answer_recognized(self, data: bytes) -> bool:
        recognized = self.server_state.recognized.get(data)
        if recognized is None or self.serving is not None or self.flow.write_paused:
            return False
        self._token = recognized.token
        if self.server_state.is_glutted(self._token):
            return False
        answer = self.app.at_once(recognized.scope)
        if isinstance(answer, RawResponse):
            self.waits_since = self.loop.time()
            self.transport.write(recognized.encode(answer, self.server_state.default_headers))
            if answer.rest:
                self.transport.write(answer.rest)
        elif answer is not None:
            self._wait_to_ask(recognized.scope, answer)
        return answer is not None

    def _parse(self, data: bytes) -> bytes:
        """Returns what is to be parsed then."""
        was_between, self._requests = self._is_between, 0
        self._overhead_bytes += len(data)
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            if not self._should_upgrade():
                return self._without_upgrade() + data[upgrade.args[0] :]
            self._upgrade()
        except httptools.HttpParserError:
            self._take_gathered()
            self._refuse(self._refusal or Malformed())
        else:
            self._take_gathered()
            if not self._is_between:
                if self._overhead_bytes > MOST_HEAD_BYTES:
                    self._refuse(_headers_too_large())
            elif was_between and self._requests == 1 and self.cycle is _ANSWERED:
                self.server_state.recognize(data, self.scope)
        return b""

    def _should_upgrade(self) -> bool:
        is_plain = self.scope["method"] == "GET" and self.scope["http_version"] == "1.1" and not self._has_body
        return is_plain and super()._should_upgrade()

    def _upgrade(self) -> None:
        if self.serving is None:
            self.handle_websocket_upgrade()
        else:
            self.transport.abort()

    def _without_upgrade(self) -> bytes:
        """The head without the upgrade that it offers, for a new parser: this one takes the request to have no body."""
        lines = [b"%b %b HTTP/%b" % (self.parser.get_method(), self.url, self.scope["http_version"].encode())]
        for name, value in self.headers:
            if name == b"connection":
                value = b", ".join(each for each in value.split(b",") if each.strip().lower() != b"upgrade")
            if name != b"upgrade":
                lines.append(b"%b: %b" % (name, value))
        self.parser = _parser(self)
        self._is_between = True
        return b"\r\n".join([*lines, b"", b""])

    def eof_received(self) -> bool:  # type: ignore[override]  # asyncio reads what it returns; uvicorn's returns None
        """Keep the connection while there is something to answer: the client may have closed its own side only."""
        if self.serving is None:
            return False
        unanswered = self._unanswered()
        unanswered[-1].keep_alive = False
        for cycle in unanswered:
            cycle.is_half_closed = True
            cycle.arrival.set()
        return True

    def on_message_begin(self) -> None:
        self.url = b""
        self.headers = []
        self.expect_100_continue = False
        self.waits_since = self.loop.time()
        self._overhead_bytes = 0
        self._is_in_head = True
        self._is_between = False
        self._has_body = False
        self._requests += 1

    def on_url(self, url: bytes) -> None:
        self.url += url
        if len(self.url) > MOST_URL_BYTES:
            raise self._refused(UriTooLong(MOST_URL_BYTES))

    def on_header(self, name: bytes, value: bytes) -> None:
        # Trailers are ignored: the head alone decides what is requested and by whom.
        if not self._is_in_head:
            return
        if len(self.headers) == MOST_HEADERS:
            raise self._refused(_headers_too_large())
        name = name.lower()
        if name in (b"content-length", b"transfer-encoding"):
            self._has_body = True
        elif name == b"expect" and value.lower() == b"100-continue":
            self.expect_100_continue = True
        # The parser leaves what may follow a value.
        self.headers.append((name, value.rstrip(b" \t")))

    def on_headers_complete(self) -> None:
        self._is_in_head = False
        version = self.parser.get_http_version()
        if version not in ("1.1", "1.0"):
            raise self._refused(Malformed())
        interpret = _address if len(self.url) <= MOST_KNOWN_BYTES else _address.__wrapped__
        path, raw_path, query_string = interpret(self.url)
        self.scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": version,
            "method": self.parser.get_method().decode("ascii"),
            "scheme": self.scheme,
            "path": path,
            "raw_path": raw_path,
            "query_string": query_string,
            "root_path": "",
            "headers": self.headers,
            "client": self.client,
            "server": self.server,
        }
        self._hear_token()
        if self.parser.should_upgrade():
            # What follows the head is not read by this parser; see `_parse`.
            if self.scope["method"] == "CONNECT":
                raise self._refused(Malformed())
            return
        keep_alive = version == "1.1" and self.parser.should_keep_alive()
        if keep_alive and not (self.serving or self.flow.write_paused):
            if not self._has_body and self._answer_at_once():
                return
            if self.scope["method"] in CHANGES and not self.expect_100_continue:
                self.cycle, self._gathered = _ANSWERED_SOON, []
                return
        self._take(keep_alive=keep_alive)

    def _hear_token(self) -> None:
        """Note whose connection it is, by its last request. Raises TooManyRequests where too much is unread."""
        if not self._unread_bytes:
            self._token = token_of(self.headers)
        if self.server_state.is_glutted(self._token):
            raise self._refused(_unread(self.server_state.most_unread_bytes))

    def _answer_at_once(self) -> bool:
        answer = self.app.at_once(self.scope) if self.scope["method"] == "GET" else None
        if answer is None:
            return False
        self.cycle = _ANSWERED
        if isinstance(answer, RawResponse):
            self.waits_since = self.loop.time()
            self._write(answer, keep_alive=True)
        else:
            self._wait_to_ask(self.scope, answer)
        return True

    def _answer_soon(self, body: bytes) -> bool:
        answer = self.app.answer_soon(self.scope, body)
        if isinstance(answer, RawResponse):
            self.waits_since = self.loop.time()
            self._write(answer, keep_alive=True)
        elif answer is not None:
            self.serving = deferred = Deferred(self.scope)
            answer.add_done_callback(partial(self._answer_change, deferred))
        return answer is not None

    def _answer_change(self, deferred: "Deferred", answered: "asyncio.Future[RawResponse]") -> None:
        error = answered.exception()
        if deferred.disconnected:
            return
        answer = self.app.refusal(deferred.scope, error) if isinstance(error, Exception) else answered.result()
        self._write(answer, keep_alive=deferred.keep_alive)
        self._end_cycle(deferred)

    def _wait_to_ask(self, scope: Any, waited: "asyncio.Future[Any]") -> None:
        self.serving = deferred = Deferred(scope)
        waited.add_done_callback(partial(self._ask_again, deferred))

    def _ask_again(self, deferred: "Deferred", waited: "asyncio.Future[Any]") -> None:
        error = None if waited.cancelled() else waited.exception()
        if deferred.disconnected:
            return
        answer = None
        if isinstance(error, Problem):
            answer = error.response()
        elif error is None:
            answer = self.app.at_once(deferred.scope, has_waited=True)
        if isinstance(answer, RawResponse):
            self._write(answer, keep_alive=deferred.keep_alive)
            self._end_cycle(deferred)
            return
        scope = {**deferred.scope, "client": self.client, "server": self.server}
        cycle = self._cycle_for(scope, keep_alive=deferred.keep_alive, expects=False)
        cycle.more_body, cycle.is_half_closed = False, deferred.is_half_closed
        self._serve(cycle)

    def _cycle_for(self, scope: Any, *, keep_alive: bool, expects: bool) -> Cycle:
        return Cycle(
            scope=scope,
            transport=self.transport,
            flow=self.flow,
            logger=self.logger,
            access_logger=self.access_logger,
            access_log=False,
            default_headers=self.server_state.default_headers,
            expect_100_continue=expects,
            keep_alive=keep_alive,
            on_end=self._end_cycle,
        )

    def _take(self, *, keep_alive: bool) -> None:
        """Have the request answered, after those before it."""
        # A client of HTTP/1.0 does not know the answer that it would get.
        expects = self.expect_100_continue and self.scope["http_version"] == "1.1"
        self.cycle = self._cycle_for(self.scope, keep_alive=keep_alive, expects=expects)
        if self.serving is None:
            self._serve(self.cycle)
        elif len(self.pipeline) < MOST_WAITING:
            self.flow.pause_reading()
            self.pipeline.append(self.cycle)
        else:
            raise self._refused(Malformed())

    def _take_gathered(self) -> None:
        """Have the change answered whose body is still arriving, if there is one."""
        if self._gathered is not None:
            body, self._gathered = b"".join(self._gathered), None
            self._take(keep_alive=True)
            self.cycle.body += body

    def _serve(self, cycle: Cycle) -> None:
        self.serving = cycle
        cycle.task = self.loop.create_task(cycle.run_asgi(self.app))

    def on_body(self, body: bytes) -> None:
        self._overhead_bytes = 0
        if self._gathered is not None:
            self._gathered.append(body)
        elif not self.cycle.response_complete:
            super().on_body(body)

    def on_message_complete(self) -> None:
        self._is_between = True
        if self._gathered is not None:
            if self._answer_soon(b"".join(self._gathered)):
                self._gathered = None
                return
            self._take_gathered()
        if not self.parser.should_upgrade() and not self.cycle.response_complete:
            super().on_message_complete()

    def _end_cycle(self, cycle: "Cycle | Deferred") -> None:
        self.serving = None
        self.waits_since = self.loop.time()
        if self.transport.is_closing():
            return
        if not cycle.keep_alive:
            self._close(is_read=not cycle.more_body)
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._serve(self.pipeline.popleft())
        elif self._refusal is not None:
            self._refuse(self._refusal)

    def _unanswered(self) -> "list[Cycle | Deferred]":
        return [self.serving, *self.pipeline] if self.serving is not None else []

    def _refused(self, problem: Problem) -> Problem:
        """Note the problem that a callback raises: the parser says only that there was one."""
        self._refusal = problem
        return problem

    def _refuse(self, problem: Problem) -> None:
        """Answer with the problem once all before it is answered, and read no more."""
        last = self.pipeline[-1] if self.pipeline else self.serving
        if last is not None and last.more_body:
            # It is the body that cannot be read.
            last.is_half_closed = True
            last.arrival.set()
        self._refusal = problem
        if self.serving is None:
            self._write(problem.response(), keep_alive=False)
            self._close(is_read=False)

    def _write(self, response: RawResponse, *, keep_alive: bool) -> None:
        self.transport.write(encode(response, self.server_state.default_headers, keep_alive=keep_alive))
        if response.rest:
            self.transport.write(response.rest)

    def _close(self, *, is_read: bool) -> None:
        if is_read:
            self.transport.close()
            return
        self.transport.write_eof()
        self._is_lingering = True
        self.waits_since = self.loop.time()
        self.flow.resume_reading()


class _Answered:
    """A request that needs no cycle, in place of it."""

    response_complete = True


# One answered at once is recognized when the same bytes come again; a change never is.
_ANSWERED = _Answered()
_ANSWERED_SOON = _Answered()


def _parser(protocol: StrictProtocol) -> httptools.HttpRequestParser:
    parser = httptools.HttpRequestParser(protocol)
    # As uvicorn has it: what follows a request that closes is ignored, and no error in place of its answer.
    parser.set_dangerous_leniencies(lenient_data_after_close=True)
    return parser


@lru_cache(maxsize=MOST_KNOWN)
def _address(url: bytes) -> tuple[str, bytes, bytes]:
    """The path, as ASGI has it and as it was sent, and the query. Raises HttpParserInvalidURLError."""
    parsed = httptools.parse_url(url)
    raw_path = parsed.path or b"/"
    path = raw_path.decode("ascii")
    return unquote(path) if "%" in path else path, raw_path, parsed.query or b""


def _held_bytes(transport: asyncio.Transport) -> int:
    """The bytes that the operating system still has to send, or of which the client has not said that they came."""
    try:
        held = fcntl.ioctl(transport.get_extra_info("socket").fileno(), termios.TIOCOUTQ, bytes(4))
    except (OSError, ValueError):
        return 0
    return int.from_bytes(held, sys.byteorder)


def _unread(most: int) -> TooManyRequests:
    return TooManyRequests(
        f"The clients of this token leave more than {most} bytes of answers unread: read them, or ask for less.",
        retry_after_seconds=1,
        limit="unread_bytes",
        allowed=most,
    )


def _headers_too_large() -> HeadersTooLarge:
    return HeadersTooLarge(MOST_HEADERS, MOST_HEAD_BYTES)
