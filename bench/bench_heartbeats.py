"""Lateness and cost of probing, and the time until a death is known, for fleets of several sizes.

Beat, worker and Redis as in production; the fleet is one process that answers for addresses of 127.0.0.0/8, so that an
instance has an origin and a connection of its own up to 10,000 of them. Lateness is from when a probe is due to when it
begins; a death from the closing of the process's sockets to the journal's entry of it.

Usage: bench_heartbeats [--postgresql] [SIZE ...]
"""

import asyncio
import multiprocessing
import os
import sqlite3
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, cast

import httpx2
import psycopg
import redis
import uvloop

from bench import stack
from bench.stack import Stack, percentile
from registry.health.start_delay import BOUNDS, KEY, Histogram

SIZES = [100, 1000, 10_000, 30_000]
INTERVAL_SECONDS = 10.0
# From when all have been found passing, until what was registered together is spread.
SETTLE_SECONDS = 15.0
MEASURE_SECONDS = 30.0
ORIGINS = 10_000
# Few enough that protection does not take them for a mass failure.
MOST_DEATHS = 100
DEATHS_SHARE = 0.2
# The heartbeat of the instance that stops answering.
HANG = {"interval_seconds": 2.0, "timeout_seconds": 1.0, "failures_before_critical": 2}
HANG_BOUND_SECONDS = (2.0 + 1.0) * 2
BATCH = 5000
WORKER = "celery"
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"
HEADINGS = (
    "instances  lateness p50  p99      probes/s  rows/s  CPU of a core: prober  all  prober's memory"
    "  death p50  p99    hang (bound 6 s)"
)


@dataclass(frozen=True, kw_only=True)
class Reading:
    """The processes' figures, and what all have counted, at one moment; `worker` is the one that probes."""

    at: float
    worker_cpu_seconds: float
    cpu_seconds: float
    memory_mib: float
    rows_per_second: float
    lateness: Histogram


@dataclass
class Peer:
    """One port, and what is connected to it."""

    server: asyncio.Server | None = None
    connections: set[asyncio.Transport] = field(default_factory=set)
    is_hanging: bool = False

    @property
    def port(self) -> int:
        assert self.server is not None
        return int(self.server.sockets[0].getsockname()[1])

    async def listen(self) -> None:
        self.server = await asyncio.get_running_loop().create_server(
            lambda: Answering(self),
            "0.0.0.0",  # noqa: S104 -- all of 127.0.0.0/8
            0,
            backlog=4096,
        )

    async def die(self) -> None:
        assert self.server is not None
        self.server.close()
        # The event loop closes it a turn later; a process that is killed has closed it before its connections.
        await asyncio.sleep(0.01)
        for each in list(self.connections):
            each.abort()

    async def hang(self) -> None:
        self.is_hanging = True


class Answering(asyncio.Protocol):
    def __init__(self, peer: Peer) -> None:
        self._peer = peer

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._peer.connections.add(self._transport)

    def data_received(self, data: bytes) -> None:
        if not self._peer.is_hanging:
            self._transport.write(OK)

    def connection_lost(self, error: Exception | None) -> None:
        self._peer.connections.discard(self._transport)


async def answer(orders: Connection, deaths: int) -> None:
    """A port for the many, one for each that is to die, and one that is to hang; an order carries out the next end."""
    loop = asyncio.get_running_loop()
    _, *mortals, hanging = peers = [Peer() for _ in range(deaths + 2)]
    for peer in peers:
        await peer.listen()
    orders.send([peer.port for peer in peers])
    for end in (*(peer.die for peer in mortals), hanging.hang):
        await loop.run_in_executor(None, orders.recv)
        await end()
        orders.send(time.time())
    await asyncio.sleep(3600)


def run_fleet(orders: Connection, deaths: int) -> None:
    uvloop.run(answer(orders, deaths))


def main() -> None:
    sizes = [int(each) for each in sys.argv[1:] if each.isdecimal()] or SIZES
    print(HEADINGS)
    for size in sizes:
        with stack.database(is_postgresql="--postgresql" in sys.argv) as variables:
            measure(size, variables)


def measure(size: int, variables: dict[str, str]) -> None:
    ours, theirs = multiprocessing.Pipe()
    count = min(MOST_DEATHS, int(size * DEATHS_SHARE))
    fleet = multiprocessing.Process(target=run_fleet, args=(theirs, count), daemon=True)
    fleet.start()
    try:
        with stack.registry(REGISTRY_ALLOWED_NETWORKS="127.0.0.0/8", **variables) as registry:
            register(registry, size, ours.recv())
            settle(registry, size)
            before = read(registry)
            time.sleep(MEASURE_SECONDS)
            after = read(registry)
            report(size, before, after)
            report_ends(registry, ours, count)
    finally:
        fleet.kill()
        fleet.join()


def register(registry: Stack, size: int, ports: list[int]) -> None:
    many, *mortals, hanging = ports
    bodies = [_body(number, f"http://127.0.0.1:{port}") for number, port in enumerate(mortals)]
    bodies.append(_body(len(mortals), f"http://127.0.0.1:{hanging}", **HANG))
    for number in range(len(bodies), size):
        place = number % ORIGINS
        host = f"127.{1 + place // 62_500}.{1 + place // 250 % 250}.{1 + place % 250}"
        bodies.append(_body(number, f"http://{host}:{many}/{number}"))
    with registry.client() as client:
        for start in range(0, len(bodies), BATCH):
            members = {"instances": bodies[start : start + BATCH]}
            client.post("/v1/registrations:batch", json=members).raise_for_status()


def _body(number: int, url: str, **heartbeat: float) -> dict[str, Any]:
    declared = {"kind": "http", "url": url, "interval_seconds": INTERVAL_SECONDS, **heartbeat}
    return {"service": f"fleet-{number % 100}", "instance": f"i-{number}", "url": url, "heartbeat": declared}


def settle(registry: Stack, size: int) -> None:
    until = time.monotonic() + 120
    while f'rollcall_instances{{status="passing"}} {size}' not in httpx2.get(f"{registry.url}/metrics").text:
        if time.monotonic() > until:
            raise TimeoutError("not all of the fleet was found passing within two minutes")
        time.sleep(1)
    time.sleep(SETTLE_SECONDS)


def read(registry: Stack) -> Reading:
    directory = registry.environment["ROLLCALL_DATA_DIR"]
    found = redis.Redis(unix_socket_path=f"{directory}/redis.sock").hgetall(KEY)
    counts = tuple(int(found.get(str(number).encode(), 0)) for number in range(len(BOUNDS) + 1))
    processes = list(_processes(registry))
    worker = next(each for each in processes if WORKER.encode() in (each / "cmdline").read_bytes())
    return Reading(
        at=time.perf_counter(),
        worker_cpu_seconds=_cpu_seconds(worker),
        cpu_seconds=sum(_cpu_seconds(each) for each in processes),
        memory_mib=int((worker / "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20,
        rows_per_second=_rows_per_second(registry),
        lateness=Histogram(counts=counts, total_seconds=0.0),
    )


def _processes(registry: Stack) -> Iterator[Path]:
    """The processes of the registry, by their environment; PostgreSQL's, which hide theirs, work in it."""
    database = registry.environment.get("REGISTRY_DATABASE_URL", "")
    for process in Path("/proc").glob("[0-9]*"):
        try:
            is_ours = registry.environment["ROLLCALL_DATA_DIR"].encode() in (process / "environ").read_bytes()
            if is_ours or f"host={(process / 'cwd').readlink()}" in database:
                yield process
        except OSError:
            continue


def _cpu_seconds(process: Path) -> float:
    fields = (process / "stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _rows_per_second(registry: Stack) -> float:
    """The heartbeat rows written in the last five seconds: each probe writes its claim and its result."""
    query = f"SELECT count(*) FROM registry_heartbeat WHERE last_at > {time.time() - 5}"
    url = registry.environment.get("REGISTRY_DATABASE_URL")
    if url is None:
        database = f"file:{registry.environment['ROLLCALL_DATA_DIR']}/registry.sqlite3?mode=ro"
        with closing(sqlite3.connect(database, uri=True)) as connection:
            (written,) = connection.execute(query).fetchone()
    else:
        with psycopg.connect(url) as connected:
            (written,) = connected.execute(query.encode()).fetchone() or (0,)
    return float(2 * written / 5)


def report(size: int, before: Reading, after: Reading) -> None:
    seconds = after.at - before.at
    counts = tuple(late - early for late, early in zip(after.lateness.counts, before.lateness.counts, strict=True))
    lateness = Histogram(counts=counts, total_seconds=0.0)
    print(
        f"{size:9}  < {lateness.quantile(0.5) * 1000:7.0f} ms  < {lateness.quantile(0.99) * 1000:4.0f} ms"
        f"  {lateness.count / seconds:8.0f}  {after.rows_per_second:6.0f}"
        f"  {(after.worker_cpu_seconds - before.worker_cpu_seconds) / seconds:21.0%}"
        f" {(after.cpu_seconds - before.cpu_seconds) / seconds:4.0%}  {after.memory_mib:11.0f} MiB",
        end="",
        flush=True,
    )


def report_ends(registry: Stack, orders: Connection, count: int) -> None:
    ends = _ends(registry, orders, count)
    died, hung = ends[:-1], ends[-1]
    print(
        f"  {percentile(died, 0.5) * 1000:6.0f} ms {percentile(died, 0.99) * 1000:5.0f} ms  {hung:12.2f} s", flush=True
    )


def _ends(registry: Stack, orders: Connection, count: int) -> list[float]:
    """Seconds from each death, and last from when one hung, to the journal's entry of it."""
    with registry.client() as client:
        revision = client.get("/v1/journal?limit=1").json()["revision"]
        ended = []
        for number in range(count + 1):
            orders.send(None)
            ended.append((f"i-{number}", orders.recv()))
            time.sleep(0.1)
        time.sleep(HANG_BOUND_SECONDS + 3)
        entries = client.get(f"/v1/journal?after={revision}&limit=1000").json()["entries"]
    known = {each["instance"]: datetime.fromisoformat(each["at"]) for each in entries if each["change"] == "critical"}
    return [known[name].timestamp() - at if name in known else float("inf") for name, at in ended]


if __name__ == "__main__":
    main()
