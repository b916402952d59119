"""One request and its response, between uvicorn's protocol and the application."""

import asyncio
import logging
from collections.abc import Callable, Iterable, MutableMapping
from typing import Any

from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from config.bodies import WHOLE
from config.http.encoding import LENGTH, WITHOUT_BODY, head

Message = MutableMapping[str, Any]

MOST_WHOLE_BYTES = 64 * 1024
LONG_BYTES = 64 * 1024
_GONE: Message = {"type": "http.disconnect"}

logger = logging.getLogger(__name__)


class Cycle(RequestResponseCycle):
    """Uvicorn's, with answers of a known length written in one piece.

    A client that has closed its side of the connection counts as gone when all of its body is read, and is answered all
    the same. An answer that comes before all of the body, and one of unknown length over HTTP/1.0, ends the connection.
    """

    def __init__(self, *, on_end: Callable[["Cycle"], None], **members: Any) -> None:
        self.arrival = asyncio.Event()
        super().__init__(**members, message_event=self.arrival, on_response=lambda: None)
        self.is_half_closed = False
        self.task: asyncio.Task[None] | None = None
        self._on_end = on_end
        self._is_read = False
        # The head of an answer of known length, until its body comes; and what of the body is still to come.
        self._head = b""
        self._left_bytes: int | None = 0
        members["scope"][WHOLE] = self.whole_body

    async def run_asgi(self, app: Any) -> None:
        try:
            await app(self.scope, self.receive, self.send)
        except Exception as error:
            logger.error("%s %s failed", self.scope["method"], self.scope["path"], exc_info=error)
        finally:
            if not self.response_complete:
                # The client must notice that the answer is incomplete.
                self.transport.close()

    def whole_body(self) -> bytes | None:
        """The body, where all of it has come and it is short; it is received then. See config/bodies.py."""
        if self.more_body or self._is_read or self.disconnected or len(self.body) > MOST_WHOLE_BYTES:
            return None
        self._is_read = True
        body, self.body = bytes(self.body), bytearray()
        return body

    async def receive(self) -> Any:
        if self.waiting_for_100_continue and not self.transport.is_closing():
            self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            self.waiting_for_100_continue = False
        while not (self.body or (not self.more_body and not self._is_read)):
            if self.disconnected or self.response_complete or self.is_half_closed:
                return _GONE
            self.flow.resume_reading()
            self.arrival.clear()
            await self.arrival.wait()
        if self.disconnected or self.response_complete:
            return _GONE
        body, self.body = bytes(self.body), bytearray()
        self._is_read = not self.more_body
        return {"type": "http.request", "body": body, "more_body": self.more_body}

    async def send(self, message: Any) -> None:
        if self.flow.write_paused and not self.disconnected:
            await self.flow.drain()
        if self.disconnected or self.transport.is_closing():
            # Otherwise a sender that never pauses would block the loop, which then serves no others and does not notice
            # the disconnect.
            await asyncio.sleep(0)
        if self.disconnected:
            return
        if self.response_complete:
            raise RuntimeError("an answer was sent after its end")
        if not self.response_started:
            self._begin(message["status"], message.get("headers", ()))
        else:
            self._continue(message.get("body", b""), more_body=message.get("more_body", False))

    def _begin(self, status: int, headers: Iterable[tuple[bytes, bytes]]) -> None:
        self.response_started = True
        self.waiting_for_100_continue = False
        length = next((int(value) for name, value in headers if name == LENGTH), None)
        if self.more_body:
            self.keep_alive = False
        if status in WITHOUT_BODY or self.scope["method"] == "HEAD":
            self._left_bytes = 0
        elif length is not None:
            self._left_bytes = length
        elif self.scope["http_version"] == "1.0":
            self._left_bytes, self.keep_alive = None, False
        else:
            self._left_bytes, self.chunked_encoding = None, True
            headers = [*headers, (b"transfer-encoding", b"chunked")]
        begun = head(status, (*self.default_headers, *headers), keep_alive=self.keep_alive)
        if self._left_bytes is None:
            # The client of a stream hears at once that it has begun.
            self.transport.write(begun)
        else:
            self._head = begun

    def _continue(self, body: bytes, *, more_body: bool) -> None:
        if self.scope["method"] == "HEAD":
            body = b""
        if self.chunked_encoding:
            chunk = b"%x\r\n%b\r\n" % (len(body), body) if body else b""
            self.transport.write(chunk if more_body else chunk + b"0\r\n\r\n")
        else:
            if self._left_bytes is not None:
                self._left_bytes -= len(body)
                if self._left_bytes < 0 or (self._left_bytes and not more_body):
                    raise RuntimeError("an answer has not the length that it states")
            if len(body) < LONG_BYTES:
                self.transport.write(self._head + body)
            else:
                # Not joined, which copies it.
                self.transport.write(self._head)
                self.transport.write(body)
            self._head = b""
        if not more_body:
            self.response_complete = True
            self.arrival.set()
            self._on_end(self)


class Deferred:
    """A request that needs no task and is not answered yet, in place of its cycle."""

    __slots__ = ("arrival", "disconnected", "is_half_closed", "keep_alive", "more_body", "scope")

    def __init__(self, scope: Any) -> None:
        self.scope = scope
        self.arrival = asyncio.Event()
        self.disconnected = False
        self.is_half_closed = False
        self.keep_alive = True
        self.more_body = False
