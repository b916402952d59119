"""Processor's time that a registry takes for each check by HTTP."""

import asyncio

from bench.peer import Check, HealthChecker, Peer, connected, processor_seconds, send

CHECKS = 200
INTERVAL_SECONDS = 1
IDLE_SECONDS = 4.0
# Until the first checks, which come with a registration, are over.
SETTLE_SECONDS = 3.0
SECONDS = 6.0


class Counter:
    def __init__(self) -> None:
        self.answered = 0


class Answering(asyncio.Protocol):
    """Keeps its connection, and counts what it answers."""

    def __init__(self, counter: Counter) -> None:
        self._counter = counter
        self._asked = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._asked += data
        if self._asked.endswith(b"\r\n\r\n"):
            self._asked = b""
            self._counter.answered += 1
            self._transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")


async def microseconds(peer: HealthChecker) -> float:
    """Processor's time for each answered check, less what the peer takes while it checks nothing."""
    counter = Counter()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Answering(counter), "127.0.0.1", 0, backlog=2 * CHECKS)
    port = server.sockets[0].getsockname()[1]
    names = [(f"checked-{number}", f"checked-{number}-1") for number in range(CHECKS)]
    idle = await _used(peer, IDLE_SECONDS) / IDLE_SECONDS
    async with connected(peer) as connection:
        for service, instance in names:
            check = Check(service=service, instance=instance, port=port, kind="http", interval_seconds=INTERVAL_SECONDS)
            if request := peer.check(check):
                await send(connection, request)
        await asyncio.sleep(SETTLE_SECONDS)
        before = counter.answered
        used = await _used(peer, SECONDS) - idle * SECONDS
        answered = counter.answered - before
        for service, instance in names:
            await send(connection, peer.deregister_as_users(service, instance))
    server.close()
    return used / answered * 1_000_000


async def _used(peer: Peer, seconds: float) -> float:
    before = processor_seconds(peer.mark)
    await asyncio.sleep(seconds)
    return processor_seconds(peer.mark) - before
