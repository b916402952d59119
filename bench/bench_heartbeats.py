"""How late the roll is called, at what cost, and how soon a death is known, for fleets of several sizes.

Beat, worker and Redis as in production; the fleet is one process that answers for addresses of 127.0.0.0/8, so that an
instance has an origin and a connection of its own up to 10,000 of them. Usage: bench_heartbeats [SIZE ...]
"""

import asyncio
import multiprocessing
import os
import sys
import time
from dataclasses import dataclass
from datetime import datetime
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, cast

import redis
import uvloop

from bench import stack
from bench.stack import Stack, percentile
from registry.punctuality import BOUNDS, KEY, Histogram

SIZES = [100, 1000]
INTERVAL_SECONDS = 10.0
SETTLE_SECONDS = 15.0
MEASURE_SECONDS = 20.0
ORIGINS = 10_000
DEATHS = 20
BATCH = 5000
WORKER = "registry.heartbeats@"
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"


@dataclass(frozen=True, kw_only=True)
class Reading:
    """Of the heartbeat worker and of what all have counted, at one moment."""

    at: float
    cpu_seconds: float
    memory_mib: float
    lateness: Histogram


class Answering(asyncio.Protocol):
    connections: set[asyncio.Transport]

    def __init__(self, connections: set[asyncio.Transport]) -> None:
        self._connections = connections

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._connections.add(self._transport)

    def data_received(self, data: bytes) -> None:
        self._transport.write(OK)

    def connection_lost(self, error: Exception | None) -> None:
        self._connections.discard(self._transport)


async def answer(orders: Connection) -> None:
    """One port for the many, and one for each that is to die; dies in the order of the ports that it has told."""
    loop = asyncio.get_running_loop()
    mortals = []
    for _ in range(DEATHS):
        connections: set[asyncio.Transport] = set()
        mortals.append((await _listen(connections), connections))
    many = await _listen(set())
    orders.send([server.sockets[0].getsockname()[1] for server in (many, *(server for server, _ in mortals))])
    for server, connections in mortals:
        await loop.run_in_executor(None, orders.recv)
        server.close()
        # The event loop closes it a turn later; a process that is killed has closed it before its connections.
        await asyncio.sleep(0.01)
        for each in list(connections):
            each.abort()
        orders.send(time.time())
    await asyncio.sleep(3600)


async def _listen(connections: set[asyncio.Transport]) -> asyncio.Server:
    return await asyncio.get_running_loop().create_server(
        lambda: Answering(connections),
        "0.0.0.0",  # noqa: S104 -- all of 127.0.0.0/8
        0,
        backlog=4096,
    )


def run_fleet(orders: Connection) -> None:
    uvloop.run(answer(orders))


def main() -> None:
    sizes = [int(each) for each in sys.argv[1:]] or SIZES
    print("instances  lateness p50  p99       CPU of a core  memory   probes/s  death p50  p99")
    for size in sizes:
        measure(size)


def measure(size: int) -> None:
    ours, theirs = multiprocessing.Pipe()
    fleet = multiprocessing.Process(target=run_fleet, args=(theirs,), daemon=True)
    fleet.start()
    try:
        with stack.registry(REGISTRY_ALLOWED_NETWORKS="127.0.0.0/8") as registry:
            register(registry, size, ours.recv())
            time.sleep(SETTLE_SECONDS)
            before = read(registry)
            time.sleep(MEASURE_SECONDS)
            after = read(registry)
            report(size, before, after, deaths(registry, ours))
    finally:
        fleet.kill()
        fleet.join()


def register(registry: Stack, size: int, ports: list[int]) -> None:
    many, *mortals = ports
    bodies = [_body(number, f"http://127.0.0.1:{port}") for number, port in enumerate(mortals)]
    for number in range(len(mortals), size):
        place = number % ORIGINS
        host = f"127.{1 + place // 62_500}.{1 + place // 250 % 250}.{1 + place % 250}"
        bodies.append(_body(number, f"http://{host}:{many}/{number}"))
    with registry.client() as client:
        for start in range(0, len(bodies), BATCH):
            members = {"instances": bodies[start : start + BATCH]}
            client.post("/v1/registrations:batch", json=members).raise_for_status()


def _body(number: int, url: str) -> dict[str, Any]:
    heartbeat = {"kind": "http", "url": url, "interval_seconds": INTERVAL_SECONDS}
    return {"service": f"fleet-{number % 100}", "instance": f"i-{number}", "url": url, "heartbeat": heartbeat}


def read(registry: Stack) -> Reading:
    directory = registry.environment["ROLLCALL_DATA_DIR"]
    found = redis.Redis(unix_socket_path=f"{directory}/redis.sock").hgetall(KEY)
    counts = tuple(int(found.get(str(number).encode(), 0)) for number in range(len(BOUNDS) + 1))
    process = _worker(directory)
    fields = (process / "stat").read_text().rpartition(")")[2].split()
    return Reading(
        at=time.perf_counter(),
        cpu_seconds=(int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK"),
        memory_mib=int((process / "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20,
        lateness=Histogram(counts=counts, total_seconds=0.0),
    )


def _worker(directory: str) -> Path:
    for process in Path("/proc").glob("[0-9]*"):
        try:
            is_ours = directory.encode() in (process / "environ").read_bytes()
            if is_ours and WORKER.encode() in (process / "cmdline").read_bytes():
                return process
        except OSError:
            continue
    raise RuntimeError("the heartbeat worker is not running")


def deaths(registry: Stack, orders: Connection) -> list[float]:
    """Seconds from each death to the journal's entry of it."""
    with registry.client() as client:
        revision = client.get("/v1/journal?limit=1").json()["revision"]
        died = []
        for number in range(DEATHS):
            orders.send(None)
            died.append((f"i-{number}", orders.recv()))
            time.sleep(0.2)
        time.sleep(3)
        entries = client.get(f"/v1/journal?after={revision}&limit=1000").json()["entries"]
    known = {each["instance"]: datetime.fromisoformat(each["at"]) for each in entries if each["change"] == "critical"}
    return [known[name].timestamp() - at if name in known else float("inf") for name, at in died]


def report(size: int, before: Reading, after: Reading, died: list[float]) -> None:
    seconds = after.at - before.at
    counts = tuple(late - early for late, early in zip(after.lateness.counts, before.lateness.counts, strict=True))
    lateness = Histogram(counts=counts, total_seconds=0.0)
    cpu = (after.cpu_seconds - before.cpu_seconds) / seconds
    print(
        f"{size:9}  < {lateness.quantile(0.5) * 1000:7.0f} ms  < {lateness.quantile(0.99) * 1000:5.0f} ms"
        f"  {cpu:12.0%}  {after.memory_mib:4.0f} MiB  {lateness.count / seconds:8.0f}"
        f"  {percentile(died, 0.5) * 1000:6.0f} ms {percentile(died, 0.99) * 1000:5.0f} ms",
        flush=True,
    )


if __name__ == "__main__":
    main()
