"""Checks per CPU-second of the registry's exchange beside aiohttp's, in one run; bench/README.md says more."""

import asyncio
import gc
import multiprocessing
import select
import socket
import statistics
import time
from collections.abc import Awaitable, Callable
from multiprocessing.connection import Connection
from typing import cast

import aiohttp
import uvloop

from registry.outbound.address_policy import AddressPolicy
from registry.outbound.client import Client, Outcome, Request
from registry.outbound.timer_wheel import Timed

ROUNDS = 5
CHECKS = 6_000
CONCURRENCY = 100
ANSWER = b'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 15\r\n%b\r\n{"status":"ok"}'

Check = Callable[[], Awaitable[None]]


class Answering(asyncio.Protocol):
    """A server that costs next to nothing, for it shares the machine with what is measured."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        if b"onnection: close\r\n" in data:
            self.transport.write(ANSWER % b"connection: close\r\n")
            self.transport.close()
        else:
            self.transport.write(ANSWER % b"")


async def serve(ready: Connection) -> None:
    server = await asyncio.get_running_loop().create_server(Answering, "127.0.0.1", 0, backlog=1024)
    ready.send(server.sockets[0].getsockname()[1])
    await server.serve_forever()


def run_server(ready: Connection) -> None:
    uvloop.run(serve(ready))


async def measure(check: Check, checks: int) -> float:
    """Checks per second of this process's CPU time."""
    remaining = iter(range(checks))

    async def work() -> None:
        for _ in remaining:
            await check()

    gc.collect()
    started = time.process_time()
    await asyncio.gather(*(work() for _ in range(CONCURRENCY)))
    return checks / (time.process_time() - started)


async def measure_started(client: Client, request: Request, checks: int) -> float:
    """As `measure`, by the callbacks that a sweep uses instead of a task for each check."""
    done = asyncio.get_running_loop().create_future()
    left = {"to start": checks, "to end": checks}

    def start() -> None:
        left["to start"] -= 1
        client.start(request, hear)

    def hear(outcome: Outcome) -> None:
        assert outcome.status == 200, outcome
        left["to end"] -= 1
        if left["to start"]:
            start()
        elif not left["to end"]:
            done.set_result(None)

    gc.collect()
    started = time.process_time()
    for _ in range(CONCURRENCY):
        start()
    await done
    return checks / (time.process_time() - started)


def measure_bare(port: int, checks: int) -> float:
    """The least there is: as many sockets, one epoll, fixed bytes, nothing understood and nothing timed."""
    sockets: dict[int, socket.socket] = {}
    epoll = select.epoll()
    request = b"GET /healthz HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n"

    def start() -> None:
        opened = socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        opened.connect_ex(("127.0.0.1", port))
        opened.send(request)
        sockets[opened.fileno()] = opened
        epoll.register(opened, select.EPOLLIN)

    gc.collect()
    started, started_checks, ended_checks = time.process_time(), 0, 0
    while ended_checks < checks:
        while started_checks < min(checks, ended_checks + CONCURRENCY):
            start()
            started_checks += 1
        for number, _ in epoll.poll():
            answered = sockets.pop(number)
            answered.recv(65536)
            epoll.unregister(number)
            answered.close()
            ended_checks += 1
    epoll.close()
    return checks / (time.process_time() - started)


class LoopTimers:
    """Takes the wheel's place with one of the event loop's own timers for each deadline."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self._handles: dict[Timed, asyncio.TimerHandle] = {}

    def add(self, timed: Timed, at: float) -> None:
        timed.tick = 1
        self._handles[timed] = self.loop.call_later(max(0.0, at - time.perf_counter()), self._expire, timed)

    def remove(self, timed: Timed) -> None:
        handle = self._handles.pop(timed, None)
        if handle is not None:
            handle.cancel()

    def stop(self) -> None:
        for handle in self._handles.values():
            handle.cancel()

    def _expire(self, timed: Timed) -> None:
        self._handles.pop(timed, None)
        timed.expire(time.perf_counter())


async def compare(port: int, *, is_kept_alive: bool) -> dict[str, list[float]]:
    url = f"http://127.0.0.1:{port}/healthz"
    connector = aiohttp.TCPConnector(limit=CONCURRENCY, force_close=not is_kept_alive)
    timeout = aiohttp.ClientTimeout(total=10, sock_connect=2, sock_read=5)
    client = Client(AddressPolicy(["127.0.0.0/8"]), max_connections=CONCURRENCY)
    loop, policy = asyncio.get_running_loop(), AddressPolicy(["127.0.0.0/8"])
    without = {
        "  uvloop's transports": Client(policy, max_connections=CONCURRENCY, uses_epoll=False),
        "  uvloop's timers": Client(policy, max_connections=CONCURRENCY, timers=LoopTimers(loop)),
        "  both": Client(policy, max_connections=CONCURRENCY, uses_epoll=False, timers=LoopTimers(loop)),
    }
    request = Request(url=url, keep_alive=is_kept_alive)
    figures: dict[str, list[float]] = {"aiohttp": [], "exchange, send": [], "exchange, start": []}
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:

        async def ask_aiohttp() -> None:
            async with session.get(url, allow_redirects=False) as answer:
                await answer.read()
                assert answer.status == 200

        async def ask_exchange() -> None:
            assert (await client.send(request)).status == 200

        for _ in range(ROUNDS):
            figures["aiohttp"].append(await measure(ask_aiohttp, CHECKS // 4))
            figures["exchange, send"].append(await measure(ask_exchange, CHECKS))
            figures["exchange, start"].append(await measure_started(client, request, CHECKS))
            for name, other in without.items():
                figures.setdefault(name, []).append(await measure_started(other, request, CHECKS))
            if not is_kept_alive:
                figures.setdefault("bare sockets", []).append(measure_bare(port, CHECKS))
    for each in (client, *without.values()):
        await each.close()
    return figures


def report(title: str, figures: dict[str, list[float]]) -> None:
    base = statistics.median(figures["aiohttp"])
    print(title)
    for name, values in figures.items():
        median = statistics.median(values)
        print(f"  {name:<22} {median:>8,.0f} checks per CPU-second  {median / base:>5.1f} times aiohttp")


async def main(port: int) -> None:
    report("connections kept alive", await compare(port, is_kept_alive=True))
    report("a fresh connection for each check", await compare(port, is_kept_alive=False))


if __name__ == "__main__":
    ready, told = multiprocessing.Pipe(duplex=False)
    server = multiprocessing.Process(target=run_server, args=(told,), daemon=True)
    server.start()
    try:
        uvloop.run(main(ready.recv()))
    finally:
        server.terminate()
        server.join()
