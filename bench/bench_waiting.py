"""Cost of thousands of requests that wait for a change, and the time until all of them are answered.

One process serves. Dependents that wait for their providers, each at its own address, are compared with as many who
wait at one address for the instances of the service that changes.
"""

import asyncio
import os
import re
import statistics
import time
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from bench import sockets, stack
from bench.stack import Stack

WAITING = 2_000
DEPENDENTS = 1_000
CHANGES = 5
REQUIRED = ("s-0", "s-1", "s-2")
Clients = list[tuple[asyncio.StreamReader, asyncio.StreamWriter]]
SERVICE = "/v1/services/s-0/instances"


def main() -> None:
    with stack.registry() as registry:
        stack.grow(registry, 30)
        asyncio.run(_weigh(registry))
        with registry.client() as client:
            instances = [_dependent(number) for number in range(DEPENDENTS)]
            client.post("/v1/registrations:batch", json={"instances": instances}).raise_for_status()
        asyncio.run(_compare(registry))


def _dependent(number: int) -> dict[str, object]:
    return {
        "service": f"d-{number // 10}",
        "instance": f"d-{number}",
        "url": "http://127.0.0.1:9",
        "requires": REQUIRED,
        "heartbeat": stack.TTL,
    }


async def _compare(registry: Stack) -> None:
    at_one = [SERVICE] * DEPENDENTS
    at_their_own = [f"/v1/instances/d-{number // 10}/d-{number}/providers" for number in range(DEPENDENTS)]
    clients = [await sockets.connect(registry.url) for _ in range(DEPENDENTS)]
    # In turns, because the machine has other work as well.
    turns = [[await _wake(registry, clients, paths) for paths in (at_one, at_their_own)] for _ in range(CHANGES)]
    for _, writer in clients:
        writer.close()
    (one, one_cpu), (own, own_cpu) = (
        map(statistics.median, zip(*each, strict=True)) for each in zip(*turns, strict=True)
    )
    print(f"{DEPENDENTS:,} wait for the instances of one service: answered after {one:.0f} ms, {one_cpu:.0f} ms of CPU")
    print(
        f"{DEPENDENTS:,} wait for their providers: answered after {own:.0f} ms ({own / one:.1f}), "
        f"{own_cpu:.0f} ms of CPU ({own_cpu / one_cpu:.1f})"
    )


async def _wake(registry: Stack, clients: Clients, paths: list[str]) -> tuple[float, float]:
    """Milliseconds from sending a change to the last answer to those who wait for it, and of the server's CPU."""
    with registry.client() as client:
        revision = client.get("/v1/services").json()["revision"]
    for (_, writer), path in zip(clients, paths, strict=True):
        writer.write(sockets.request(f"{path}?after={revision}&wait=60s", registry.token))
    await asyncio.sleep(3)
    answers = asyncio.gather(*(sockets.read_answer(reader) for reader, _ in clients))
    process = _server(registry)
    started, used = time.perf_counter(), _cpu_seconds(process)
    await asyncio.to_thread(_change, registry, revision)
    await answers
    return (time.perf_counter() - started) * 1000, (_cpu_seconds(process) - used) * 1000


def _medians(figures: Sequence[tuple[float, float]]) -> tuple[float, float]:
    return statistics.median(took for took, _ in figures), statistics.median(cpu for _, cpu in figures)


async def _weigh(registry: Stack) -> None:
    process = _server(registry)
    before = _resident_kilobytes(process)
    with registry.client() as client:
        revision = client.get(SERVICE).json()["revision"]
    waiting = []
    for _ in range(WAITING):
        waiting.append(await sockets.connect(registry.url))
        waiting[-1][1].write(sockets.request(f"{SERVICE}?after={revision}&wait=60s", registry.token))
    await asyncio.sleep(1)
    print(f"{WAITING:,} waiting: {(_resident_kilobytes(process) - before) / WAITING:.0f} kB each")
    await asyncio.to_thread(_change, registry, 0)
    for reader, writer in waiting:
        await sockets.read_answer(reader)
        writer.close()


def _change(registry: Stack, number: int) -> None:
    members = {"url": f"http://127.0.0.1:{10_000 + number}", "heartbeat": stack.TTL}
    with registry.client() as client:
        client.put(f"{SERVICE}/one-more", json=members).raise_for_status()


def _server(registry: Stack) -> Path:
    """The /proc directory of the process that serves."""
    port = f"REGISTRY_PORT={urlsplit(registry.url).port}".encode()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            serves = process.joinpath("cmdline").read_bytes().endswith(b"\0serve\0")
            if serves and port in process.joinpath("environ").read_bytes().split(b"\0"):
                return process
        except OSError:
            continue
    raise SystemExit("the process that serves is not to be found in /proc")


def _cpu_seconds(process: Path) -> float:
    fields = process.joinpath("stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _resident_kilobytes(process: Path) -> int:
    found = re.search(r"VmRSS:\s+(\d+)", process.joinpath("status").read_text())
    assert found
    return int(found[1])


if __name__ == "__main__":
    main()
