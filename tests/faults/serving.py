"""A small HTTP server that can die as a process does: at once, with all its connections."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass

from tests.ports import free_port


@dataclass(frozen=True, kw_only=True)
class Request:
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


# The status to answer; None closes the connection without an answer.
Handler = Callable[[Request], Awaitable[int | None]]


class SmallServer:
    """A server on one port for all its runs; `on_bare_connection` is called after a connection without a request."""

    def __init__(self, handler: Handler, *, on_bare_connection: Callable[[], None] = lambda: None) -> None:
        self.port = free_port()
        self._handler = handler
        self._on_bare_connection = on_bare_connection
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    @property
    def is_up(self) -> bool:
        return self._server is not None

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)

    def die(self) -> None:
        """End as by `kill -9`: the kernel closes the port and resets what is open."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for writer in tuple(self._writers):
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        has_asked = False
        try:
            # A closed or aborted connection, or half a request, is the end of it.
            with suppress(OSError, ValueError, asyncio.IncompleteReadError):
                while request := await _read(reader):
                    has_asked = True
                    status = await self._handler(request)
                    if status is None:
                        return
                    writer.write(b"HTTP/1.1 %d x\r\ncontent-length: 0\r\n\r\n" % status)
                    await writer.drain()
        finally:
            if not has_asked:
                self._on_bare_connection()
            self._writers.discard(writer)
            writer.close()


async def _read(reader: asyncio.StreamReader) -> Request | None:
    """Read a request; None at the end of the connection."""
    line = await reader.readline()
    if not line.strip():
        return None
    method, path, _ = line.decode("latin-1").split(" ", 2)
    headers: dict[str, str] = {}
    while (line := await reader.readline()).strip():
        name, _, value = line.decode("latin-1").partition(":")
        headers[name.strip().lower()] = value.strip()
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Request(method=method, path=path, headers=headers, body=body)
