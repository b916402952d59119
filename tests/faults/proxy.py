"""A TCP proxy between a process and what it needs, which can stop forwarding without a word."""

import asyncio
import socket
from contextlib import suppress
from pathlib import Path

LOOPBACK = "127.0.0.1"
CHUNK_BYTES = 65536
# As config/env.py asks PostgreSQL for.
KEEPALIVE_SECONDS = 60.0
Upstream = Path | tuple[str, int]


class Proxy:
    """Listens on a port of its own; the upstream is an address or the path of a Unix socket.

    Cut, it takes connections and data and forwards nothing, as a firewall does that has lost its state. What was open
    then stays silent also after `mend`; new connections are served. When one side of a silent connection has ended, the
    other is closed after a minute, as TCP's keepalive would.
    """

    def __init__(self, upstream: Upstream, *, address: str = LOOPBACK) -> None:
        self._upstream = upstream
        self._address = address
        self._server: asyncio.Server | None = None
        self._is_cut = False
        # How often it was cut: a connection from before a cut is dead.
        self._cuts = 0
        self._connections: set[asyncio.Task[None]] = set()
        self.port = 0

    @property
    def authority(self) -> str:
        return f"{self._address}:{self.port}"

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._accept, self._address, 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
        for connection in self._connections:
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    def cut(self) -> None:
        self._is_cut = True
        self._cuts += 1

    def mend(self) -> None:
        """Serve new connections again. Those of before are as dead as they were."""
        self._is_cut = False

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = asyncio.get_running_loop().create_task(self._serve(reader, writer))
        self._connections.add(connection)
        connection.add_done_callback(self._connections.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        other: asyncio.StreamWriter | None = None
        try:
            if self._is_cut:
                await _swallow(reader)
                return
            upstream, other = await self._connect()
            pairs = ((reader, other), (upstream, writer))
            ways = [asyncio.create_task(self._forward(source, sink)) for source, sink in pairs]
            cuts = self._cuts
            try:
                await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
                if self._cuts != cuts:
                    await asyncio.wait(ways, timeout=KEEPALIVE_SECONDS)
            finally:
                for way in ways:
                    way.cancel()
                await asyncio.gather(*ways, return_exceptions=True)
        except OSError:
            return
        finally:
            for each in (writer, other):
                if each is not None:
                    each.close()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if isinstance(self._upstream, Path):
            return await asyncio.open_unix_connection(str(self._upstream))
        reader, writer = await asyncio.open_connection(*self._upstream)
        writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return reader, writer

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        cuts = self._cuts
        with suppress(OSError):
            while (data := await reader.read(CHUNK_BYTES)) and self._cuts == cuts:
                writer.write(data)
                await writer.drain()
        if self._cuts != cuts:
            # Neither data nor the end of this side comes through any more.
            await _swallow(reader)


async def _swallow(reader: asyncio.StreamReader) -> None:
    with suppress(OSError):
        while await reader.read(CHUNK_BYTES):
            pass
