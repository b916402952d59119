"""A small HTTP server that can die as a process does: at once, with all its connections."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from tests.faults.proxy import LOOPBACK
from tests.ports import free_port


@dataclass(frozen=True, kw_only=True)
class Request:
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


# From the kernel's backlog to a connection that can be aborted.
TURNS_TO_ACCEPT = 5

# The status to answer; None closes the connection without an answer.
Handler = Callable[[Request], Awaitable[int | None]]


class SmallServer:
    """A server on one port for all its runs; `on_bare_connection` is called after a connection without a request."""

    def __init__(
        self, handler: Handler, *, address: str = LOOPBACK, on_bare_connection: Callable[[], None] = lambda: None
    ) -> None:
        self._address = address
        self.port = free_port()
        self._handler = handler
        self._on_bare_connection = on_bare_connection
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        # How often it has begun or died: a connection of an earlier run may be served only after that.
        self._turns = 0

    @property
    def url(self) -> str:
        return f"http://{self._address}:{self.port}"

    @property
    def is_up(self) -> bool:
        return self._server is not None

    async def start(self) -> None:
        self._turns += 1
        self._server = await asyncio.start_server(partial(self._serve, self._turns), self._address, self.port)

    def die(self) -> None:
        """End as by `kill -9`: the kernel closes the port and resets what is open."""
        self._turns += 1
        if self._server is not None:
            # What has been accepted is made a connection first, and then aborted: asyncio would forget it, and leave it
            # open.
            _call_after(TURNS_TO_ACCEPT, self._server.close)
            self._server = None
        for writer in tuple(self._writers):
            writer.transport.abort()

    async def _serve(self, turn: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if turn != self._turns:
            writer.transport.abort()
            return
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


def _call_after(turns: int, call: Callable[[], None]) -> None:
    """Call it when the event loop has turned so often."""
    if turns:
        asyncio.get_running_loop().call_soon(_call_after, turns - 1, call)
    else:
        call()


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
