"""A small HTTP server that can die as a process does: at once, with all its connections."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass

from tests.faults.proxy import LOOPBACK
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

    def __init__(
        self, handler: Handler, *, address: str = LOOPBACK, on_bare_connection: Callable[[], None] = lambda: None
    ) -> None:
        self._address = address
        self.port = free_port()
        self._handler = handler
        self._on_bare_connection = on_bare_connection
        self._listening: socket.socket | None = None
        self._serving: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()
        # How often it has begun or died: a connection of an earlier run may be served only after that.
        self._turns = 0

    @property
    def url(self) -> str:
        return f"http://{self._address}:{self.port}"

    @property
    def is_up(self) -> bool:
        return self._listening is not None

    async def start(self) -> None:
        self._turns += 1
        self._listening = socket.create_server((self._address, self.port), backlog=100)
        self._listening.setblocking(False)
        asyncio.get_running_loop().add_reader(self._listening, self._accept, self._listening)

    def die(self) -> None:
        """End as by `kill -9`: the kernel closes the port and resets what is open."""
        self._turns += 1
        if self._listening is not None:
            asyncio.get_running_loop().remove_reader(self._listening)
            self._listening.close()
            self._listening = None
        for writer in tuple(self._writers):
            writer.transport.abort()

    def _accept(self, listening: socket.socket) -> None:
        # Not by asyncio's own server, which leaves open what it has accepted in the moment that it is closed.
        with suppress(OSError):
            accepted, _ = listening.accept()
            accepted.setblocking(False)
            task = asyncio.get_running_loop().create_task(self._serve(self._turns, accepted))
            self._serving.add(task)
            task.add_done_callback(self._serving.discard)

    async def _serve(self, turn: int, accepted: socket.socket) -> None:
        reader, loop = asyncio.StreamReader(), asyncio.get_running_loop()
        transport, protocol = await loop.connect_accepted_socket(lambda: asyncio.StreamReaderProtocol(reader), accepted)
        writer = asyncio.StreamWriter(transport, protocol, reader, loop)
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
