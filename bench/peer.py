"""A registry that bench_peers measures: how it is told and asked, in requests of its own API."""

import asyncio
import os
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx2

from bench import stack
from bench.sockets import Answer, Connection

# Between two changes: what the first has set off is over by then.
PAUSE_SECONDS = 0.02
LONGEST_START_SECONDS = 120.0
# The variable by which the processes of a peer are found.
MARK = "BENCH_PEER"


@dataclass(frozen=True, kw_only=True)
class Request:
    method: str
    path: str
    body: object = None


@dataclass(frozen=True, kw_only=True)
class Check:
    """A server to be checked; without a `kind`, as the registry chooses."""

    service: str
    instance: str
    port: int
    kind: str
    interval_seconds: int


@dataclass(frozen=True, kw_only=True)
class State:
    """The health of a service's only instance, and what to wait after for the next change of it."""

    is_passing: bool
    is_critical: bool
    index: str


@dataclass(frozen=True, kw_only=True)
class Change:
    sent: float
    heard: float
    answer: Answer


class Peer(ABC):
    name: str
    url: str
    token: str = ""
    # In the environment of each of its processes.
    mark: str
    is_durable: bool = True
    # Until what is compiled as it runs has been.
    warm_up_reads: int = 1
    # Whether users register with an agent, by another call than the one that stores.
    has_agent: bool = False

    @abstractmethod
    def register(self, service: str, instance: str, *, version: int = 1) -> Request: ...

    @abstractmethod
    def deregister(self, service: str, instance: str) -> Request: ...

    def register_as_users(self, service: str, instance: str) -> Request:
        return self.register(service, instance)

    def deregister_as_users(self, service: str, instance: str) -> Request:
        return self.deregister(service, instance)

    @abstractmethod
    def read(self, service: str) -> Request: ...

    def read_consistently(self, service: str) -> Request | None:
        """None, as `[]` below: it does no such thing."""
        return None

    def polled(self, count: int) -> list[float]:
        """Milliseconds from sending each of so many changes until who waits for it has the answer."""
        return []

    def pushed(self, count: int) -> list[float]:
        """Milliseconds from sending each of so many changes until it has been delivered at the dependent's address."""
        return []


class HealthChecker(Peer):
    """A peer that checks instances, and whose clients can wait for a change of them."""

    @abstractmethod
    def poll(self, service: str, *, after: str = "") -> Request:
        """Answered at once, or, `after` an index, as soon as something has changed since."""

    @abstractmethod
    def state(self, answer: Answer) -> State: ...

    @abstractmethod
    def check(self, check: Check) -> Request | None:
        """Register an instance as users do, with a check; None if it has no such check."""


async def changes(peer: HealthChecker, count: int) -> list[Change]:
    """Change a provider so many times while a second client waits for each by long poll."""
    made = []
    async with connected(peer) as waiting, connected(peer) as changing:
        await send(changing, peer.register("provider", "provider-1"))
        for number in range(count):
            listed = await send(waiting, peer.poll("provider"))
            poll = asyncio.create_task(send(waiting, peer.poll("provider", after=peer.state(listed).index)))
            # Until the poll waits there.
            await asyncio.sleep(PAUSE_SECONDS)
            sent = time.perf_counter()
            put = asyncio.create_task(send(changing, peer.register("provider", "provider-1", version=number % 2 + 2)))
            await poll
            made.append(Change(sent=sent, heard=time.perf_counter(), answer=await put))
            await asyncio.sleep(PAUSE_SECONDS)
    return made


@asynccontextmanager
async def connected(peer: Peer) -> AsyncIterator[Connection]:
    connection = Connection(peer.url, peer.token)
    await connection.open()
    try:
        yield connection
    finally:
        connection.close()


async def send(connection: Connection, request: Request) -> Answer:
    return await connection.send(request.method, request.path, request.body)


@contextmanager
def running(
    command: Callable[[str], list[str]], *, url: str, is_ready: Callable[[httpx2.Response], bool]
) -> Iterator[str]:
    """Run a server in a temporary directory, for which its command is made, from when `url` answers as it should.

    Yields its mark.
    """
    with (
        tempfile.TemporaryDirectory(prefix="rollcall-peer-") as directory,
        stack.running(command(directory), {**os.environ, MARK: directory}),
    ):
        _await(url, is_ready)
        yield directory


def _await(url: str, is_ready: Callable[[httpx2.Response], bool]) -> None:
    until = time.monotonic() + LONGEST_START_SECONDS
    while time.monotonic() < until:
        with suppress(httpx2.TransportError):
            if is_ready(httpx2.get(url)):
                return
        time.sleep(0.05)
    raise TimeoutError(f"{url} does not answer")


def memory_mebibytes(mark: str) -> float:
    """PSS: each page shared among who holds it."""
    total = 0
    for process in _processes(mark):
        with suppress(OSError):
            lines = (process / "smaps_rollup").read_text().splitlines()
            total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total / 1024


def processor_seconds(mark: str) -> float:
    ticks = 0
    for process in _processes(mark):
        with suppress(OSError):
            fields = (process / "stat").read_text().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def _processes(mark: str) -> Iterator[Path]:
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if mark.encode() in (process / "environ").read_bytes():
                yield process
