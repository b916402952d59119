"""Peers on loopback, written out to the byte."""

import asyncio
import itertools
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager, suppress

Handle = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Peer:
    """A peer, and its connections."""

    def __init__(self, scheme: str) -> None:
        self.scheme = scheme
        self.port = 0
        self.writers: list[asyncio.StreamWriter] = []
        self.closed = asyncio.Event()

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}/healthz"

    @property
    def connections(self) -> int:
        return len(self.writers)

    def hang_up(self) -> None:
        for writer in self.writers:
            # Python 3.11.2 raises it where a TLS connection is over already.
            with suppress(AttributeError):
                writer.transport.abort()


@asynccontextmanager
async def peer(handle: Handle, *, tls: ssl.SSLContext | None = None, port: int = 0) -> AsyncIterator[Peer]:
    """A server whose every connection is given to `handle` and closed when that returns."""
    serving = Peer("https" if tls else "http")
    tasks: list[asyncio.Task[None]] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            await handle(reader, writer)
        writer.close()
        serving.closed.set()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving.writers.append(writer)
        tasks.append(asyncio.create_task(serve(reader, writer)))

    server = await asyncio.start_server(accept, "127.0.0.1", port, ssl=tls)
    serving.port = server.sockets[0].getsockname()[1]
    try:
        yield serving
    finally:
        server.close()
        # The event loop takes a few turns to report an accepted connection.
        for _ in range(5):
            await asyncio.sleep(0)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        serving.hang_up()
        await asyncio.sleep(0)


async def read_request(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return head + await reader.readexactly(int(line.partition(b":")[2]))
    return head


def answering(*answers: bytes, requests: list[bytes] | None = None) -> Handle:
    """Answer each request of a connection with the next of `answers`, then end the connection."""
    return _answering(answers, requests)


def answering_always(answer: bytes, requests: list[bytes] | None = None) -> Handle:
    """Answer every request of a connection with `answer`, until the client closes it."""
    return _answering(itertools.repeat(answer), requests)


def _answering(answers: Iterable[bytes], requests: list[bytes] | None) -> Handle:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for answer in answers:
            request = await read_request(reader)
            if requests is not None:
                requests.append(request)
            writer.write(answer)
            await writer.drain()

    return handle


async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()
