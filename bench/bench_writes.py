"""Writes through HTTP, with beat and both workers as users run it: each kind alone and from 32 clients at once.

`--postgresql` runs it there. The time that the disk takes for one commit is measured beside them, as is the load.
"""

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import count

from bench import stack
from bench.sockets import Connection
from bench.stack import Stack

CLIENTS = 32
SECONDS = 2.0
ALONE = 80
# Between two calls of a client that is alone: what a change has set off is over by then.
PAUSE_SECONDS = 0.02
BODY = {"url": "http://127.0.0.1:9000", "requires": ["logsvc"], "heartbeat": stack.TTL}
Call = tuple[str, str, object]


def main() -> None:
    is_postgresql = sys.argv[1:] == ["--postgresql"]
    with (
        stack.database(is_postgresql=is_postgresql) as variables,
        stack.registry(**variables) as registry,
    ):
        stack.grow(registry, 1000)
        time.sleep(2)
        asyncio.run(_alone(registry))
        asyncio.run(_together(registry))


async def _alone(registry: Stack) -> None:
    client = Connection(registry.url, registry.token)
    await client.open()
    address = "/v1/services/alone/instances/alone-1"
    await client.send("PUT", address, BODY)
    kinds: dict[str, Callable[[int], Call]] = {
        "a PUT that changes something": lambda n: ("PUT", address, {**BODY, "weight": n % 2 + 1}),
        "a PUT that changes nothing": lambda n: ("PUT", address, {**BODY, "weight": 2}),
        "a new instance": lambda n: ("PUT", f"/v1/services/alone/instances/new-{n}", BODY),
        "a beat": lambda n: ("PUT", f"{address}/heartbeat", None),
        "a deregistration": lambda n: ("DELETE", f"/v1/services/alone/instances/new-{n}", None),
    }
    for what, call in kinds.items():
        taken = []
        for number in range(ALONE):
            sent = time.perf_counter()
            await client.send(*call(number))
            taken.append((time.perf_counter() - sent) * 1000)
            await asyncio.sleep(PAUSE_SECONDS)
        disk = sync_milliseconds()
        p50, p90, p99 = (stack.percentile(taken, share) for share in (0.5, 0.9, 0.99))
        print(f"{what:30} p50 {p50:5.1f}, p90 {p90:5.1f}, p99 {p99:5.1f} ms; {_surroundings(disk)}", flush=True)
    client.close()


async def _together(registry: Stack) -> None:
    made, gone, beats, drained = count(), count(), count(), count()
    base = "/v1/services/bench/instances"
    held = "/v1/services/held/instances"
    kinds: dict[str, Callable[[], Call]] = {
        "registrations": lambda: ("PUT", f"{base}/bench-{next(made)}", BODY),
        "beats": lambda: ("PUT", f"{base}/bench-{next(beats) % 1000}/heartbeat", None),
        "drains": lambda: ("POST", f"{base}/bench-{next(drained) % 1000}/drain", {"seconds": 3600}),
        "maintenance": lambda: ("PUT", f"{held}/held-{next(drained)}/maintenance", {"reason": "disk"}),
        "deregistrations": lambda: ("DELETE", f"{base}/bench-{next(gone)}", None),
    }
    first = 0.0
    for what, call in kinds.items():
        clients = [Connection(registry.url, registry.token) for _ in range(CLIENTS)]
        for client in clients:
            await client.open()
        until = time.perf_counter() + SECONDS
        limit = next(made) if what == "deregistrations" else sys.maxsize
        began = time.perf_counter()
        done = sum(await asyncio.gather(*(_repeat(client, call, until, limit) for client in clients)))
        rate = done / (time.perf_counter() - began)
        first = first or rate
        print(f"{what:16} {rate:7.0f} a second ({rate / first:.2f}); {_surroundings(sync_milliseconds())}", flush=True)
        for client in clients:
            client.close()


async def _repeat(client: Connection, call: Callable[[], Call], until: float, limit: int) -> int:
    done = 0
    while time.perf_counter() < until:
        method, path, body = call()
        if method == "DELETE" and int(path.rpartition("-")[2]) >= limit:
            break
        await client.send(method, path, body)
        done += 1
    return done


def sync_milliseconds(times: int = 20) -> float:
    """The median time in which the disk stores a few pages: a commit waits for it once."""
    taken = []
    with tempfile.NamedTemporaryFile() as file:
        for _ in range(times):
            file.write(b"x" * 12_288)
            file.flush()
            began = time.perf_counter()
            os.fdatasync(file.fileno())
            taken.append((time.perf_counter() - began) * 1000)
    return stack.percentile(taken, 0.5)


def _surroundings(disk: float) -> str:
    return f"the disk {disk:.1f} ms, load {os.getloadavg()[0]:.1f}"


if __name__ == "__main__":
    main()
