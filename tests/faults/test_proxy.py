"""The proxy forwards, and once cut it says nothing at all."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.faults.proxy import Proxy

SILENT_SECONDS = 0.05


async def _echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Until a q."""
    while (data := await reader.read(1)) != b"q":
        writer.write(data)
        if not data:
            break
    writer.write(data)
    writer.close()


@asynccontextmanager
async def _proxied() -> AsyncIterator[Proxy]:
    server = await asyncio.start_server(_echo, "127.0.0.1", 0)
    proxy = Proxy(server.sockets[0].getsockname()[:2])
    await proxy.start()
    try:
        yield proxy
    finally:
        await proxy.stop()
        server.close()


async def _ask(connection: tuple[asyncio.StreamReader, asyncio.StreamWriter], seconds: float = 5.0) -> bytes | None:
    """The answer; None when nothing comes, not even the end."""
    reader, writer = connection
    writer.write(b"x")
    try:
        return await asyncio.wait_for(reader.read(1), seconds)
    except TimeoutError:
        return None


def test_what_is_cut_is_silent_and_what_was_open_then_stays_so() -> None:
    async def scenario() -> None:
        async with _proxied() as proxy:
            old, idle = [await asyncio.open_connection("127.0.0.1", proxy.port) for _ in range(2)]
            assert await _ask(old) == b"x"
            assert await _ask(idle) == b"x"
            proxy.cut()
            during = await asyncio.open_connection("127.0.0.1", proxy.port)
            assert await _ask(old, SILENT_SECONDS) is None
            assert await _ask(during, SILENT_SECONDS) is None
            proxy.mend()
            new = await asyncio.open_connection("127.0.0.1", proxy.port)
            assert await _ask(new) == b"x"
            assert [await _ask(each, SILENT_SECONDS) for each in (old, idle, during)] == [None, None, None]
            for _, writer in (old, idle, during, new):
                writer.close()

    asyncio.run(scenario())


def test_the_end_of_one_side_is_the_end_of_the_other() -> None:
    async def scenario() -> None:
        async with _proxied() as proxy:
            reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
            writer.write(b"q")
            assert await reader.read() == b"q"
            writer.close()

    asyncio.run(scenario())
