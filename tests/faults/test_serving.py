"""The small server dies as a process does."""

import asyncio
import socket

import pytest

from tests.faults.serving import Request, SmallServer


async def _answer(request: Request) -> int:
    return 200


@pytest.mark.parametrize("turns", range(7))
def test_no_connection_outlives_it_however_far_it_had_been_accepted(turns: int) -> None:
    async def scenario() -> bytes:
        server = SmallServer(_answer)
        await server.start()
        with socket.create_connection(("127.0.0.1", server.port)) as client:
            client.setblocking(False)
            for _ in range(turns):
                await asyncio.sleep(0)
            server.die()
            try:
                client.send(b"GET / HTTP/1.1\r\n\r\n")
                return await asyncio.wait_for(asyncio.get_running_loop().sock_recv(client, 100), 10)
            except (ConnectionResetError, BrokenPipeError):
                return b""

    assert asyncio.run(scenario()) == b""
