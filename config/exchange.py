"""One request through a WSGI application: the environ it is given, and its answer on the way back to ASGI."""

import asyncio
import io
import sys
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from functools import partial
from typing import Any
from urllib.parse import unquote_to_bytes

from config.threads import LoopCalls

WSGIApplication = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
Message = MutableMapping[str, Any]

# A stream of known length up to this is sent at once: a thread that hands over a file in pieces of 4 KiB would wait for
# the event loop after each.
SHORT_BYTES = 1024 * 1024


class Exchange:
    def __init__(
        self,
        application: WSGIApplication,
        scope: MutableMapping[str, Any],
        body: bytes,
        receive: Callable[[], Awaitable[Message]],
        send: Callable[[Message], Awaitable[None]],
    ) -> None:
        self._application = application
        self._environ = environ(scope, body)
        self._receive = receive
        self._send = send
        self._calls = LoopCalls(asyncio.get_running_loop())
        self._watch: asyncio.Task[None] | None = None
        self._status = 500
        self._headers: list[tuple[bytes, bytes]] = []

    def run(self) -> bytes | None:
        """Call the application, in a thread; returns the whole body, or None when it was streamed piece by piece.

        All of a response is made in one thread, since Django's database connections belong to a thread.
        """
        result = self._application(self._environ, self._start_response)
        try:
            length = next((value for name, value in self._headers if name == b"content-length"), b"")
            is_short = length.isdigit() and int(length) <= SHORT_BYTES
            if is_short or not getattr(result, "streaming", True):
                return b"".join(result)
            self._calls.run(self._start_stream)
            # The answer to HEAD has no body, and the stream may never end.
            for chunk in result if self._environ["REQUEST_METHOD"] != "HEAD" else ():
                self._calls.run(partial(self._send_chunk, chunk))
            self._calls.run(partial(self._send_chunk, b"", more=False))
            return None
        finally:
            close = getattr(result, "close", None)
            if close is not None:
                close()

    def end(self) -> None:
        """End the exchange: a stream that still runs ends at its next piece."""
        self._calls.end()
        if self._watch is not None:
            self._watch.cancel()

    async def start(self) -> None:
        await self._send({"type": "http.response.start", "status": self._status, "headers": self._headers})

    def _start_response(self, status: str, headers: list[tuple[str, str]], exc_info: object = None) -> None:
        self._status = int(status[:3])
        self._headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]

    async def _start_stream(self) -> None:
        # The server silently drops what is sent to a client that has disconnected.
        self._watch = asyncio.create_task(disconnected(self._receive))
        self._watch.add_done_callback(lambda _: self._calls.end())
        await self.start()

    async def _send_chunk(self, chunk: bytes, *, more: bool = True) -> None:
        await self._send({"type": "http.response.body", "body": chunk, "more_body": more})


async def disconnected(receive: Callable[[], Awaitable[Message]]) -> None:
    """Wait until the client is gone."""
    while not (await receive())["type"].endswith(".disconnect"):
        pass


def environ(scope: MutableMapping[str, Any], body: bytes) -> dict[str, Any]:
    """PEP 3333's environ of an ASGI request."""
    host, port = scope.get("server") or ("localhost", 80)
    client = scope.get("client") or ("", 0)
    # As bytes: a server's own decoding loses those that are not UTF-8.
    raw = scope.get("raw_path")
    path: bytes = unquote_to_bytes(raw) if raw is not None else scope["path"].encode("utf-8", "surrogateescape")
    return {
        **_header_variables(scope["headers"]),
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": path.decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_NAME": host,
        "SERVER_PORT": str(port),
        "SERVER_PROTOCOL": f"HTTP/{scope.get('http_version', '1.1')}",
        "REMOTE_ADDR": client[0],
        "REMOTE_PORT": str(client[1]),
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.get("scheme", "http"),
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }


def _header_variables(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    variables: dict[str, str] = {}
    for raw_name, raw_value in headers:
        # A name with "_" would become the same variable as one with "-", and bypass a proxy that checks headers.
        if raw_name == b"content-length" or b"_" in raw_name:
            continue
        key = raw_name.decode("latin-1").upper().replace("-", "_")
        key = key if key == "CONTENT_TYPE" else f"HTTP_{key}"
        value = raw_value.decode("latin-1")
        separator = "; " if key == "HTTP_COOKIE" else ","
        variables[key] = f"{variables[key]}{separator}{value}" if key in variables else value
    return variables
