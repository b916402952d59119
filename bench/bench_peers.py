"""One table: this registry, as users run it, beside an etcd where one is on PATH, in alternating rounds of one run.

Medians of the rounds, and what that is of etcd's. What etcd does not do has no figure: it checks nobody's health.
`--rounds N` for more than two.
"""

import asyncio
import base64
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

from bench import etcd, stack
from bench.bench_notifications import Receiver
from bench.bench_writes import BODY, Client, sync_milliseconds
from bench.stack import Stack

ROUNDS = 2
CLIENTS = 32
SECONDS = 2.0
ALONE = 40
PAUSE_SECONDS = 0.02
INSTANCES = 1000
KILLS = 4
LONGEST_KILL_SECONDS = 25.0
NUMBERS = count()
Figures = dict[str, list[float]]

# A server that says nothing, keeps its connections, or closes each after its answer.
SERVERS = {
    "tcp": "import socket,sys,time\ns=socket.create_server(('127.0.0.1',int(sys.argv[1])))\nwhile True: time.sleep(9)",
    "kept alive": """
import sys, http.server
class H(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        self.send_response(200); self.send_header("Content-Length", "0"); self.end_headers()
    def log_message(self, *a): pass
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), H).serve_forever()
""",
}
SERVERS["closing"] = SERVERS["kept alive"].replace("HTTP/1.1", "HTTP/1.0")
HEARTBEATS: dict[str, tuple[str, dict[str, Any]]] = {
    "kill -9 to critical, http, kept alive": ("kept alive", {"kind": "http"}),
    "kill -9 to critical, http, closing": ("closing", {"kind": "http"}),
    "kill -9 to critical, tcp": ("tcp", {"kind": "tcp"}),
    "kill -9 to critical, nothing declared": ("closing", {}),
}


class Etcd:
    """The same calls as of `Client`, as etcd's JSON gateway takes them."""

    def __init__(self, url: str) -> None:
        self._client = Client(Stack(url=url, token="", environment={}))

    async def open(self) -> None:
        await self._client.open()

    async def put(self, number: int) -> None:
        await self._client.send("POST", "/v3/kv/put", {"key": key(number), "value": key(number % 7)})

    async def delete(self, number: int) -> None:
        await self._client.send("POST", "/v3/kv/deleterange", {"key": key(number)})

    async def read(self, number: int, *, is_consistent: bool) -> None:
        body = {"key": key(number), "serializable": not is_consistent}
        await self._client.send("POST", "/v3/kv/range", body)

    def close(self) -> None:
        self._client.close()


class Rollcall:
    def __init__(self, registry: Stack) -> None:
        self._client = Client(registry)

    async def open(self) -> None:
        await self._client.open()

    async def put(self, number: int) -> None:
        body = {**BODY, "weight": time.perf_counter_ns() % 1000}
        await self._client.send("PUT", f"/v1/services/bench/instances/bench-{number}", body)

    async def delete(self, number: int) -> None:
        await self._client.send("DELETE", f"/v1/services/bench/instances/bench-{number}")

    async def read(self, number: int, *, is_consistent: bool) -> None:
        # A service with ten instances, whose journal entry another client has just read too.
        query = "?consistent=true" if is_consistent else ""
        await self._client.send("GET", f"/v1/services/s-{number % 100}/instances{query}")

    def close(self) -> None:
        self._client.close()


def main() -> None:
    rounds = int(sys.argv[sys.argv.index("--rounds") + 1]) if "--rounds" in sys.argv else ROUNDS
    ours: Figures = defaultdict(list)
    theirs: Figures = defaultdict(list)
    load = os.getloadavg()[0]
    with ExitStack() as running:
        registry = running.enter_context(stack.registry(workers=True))
        url = running.enter_context(etcd.server()) if shutil.which("etcd") else None
        stack.grow(registry, INSTANCES)
        if url:
            asyncio.run(_fill(url))
        for _ in range(rounds):
            _measure(partial(Rollcall, registry), ours)
            _measure_changes(registry, ours)
            if url:
                _measure(partial(Etcd, url), theirs)
        _add_watch(url, theirs)
        ours["memory, 1,000 instances, MiB"].append(_memory(registry.environment["ROLLCALL_DATA_DIR"]))
        if url:
            theirs["memory, 1,000 instances, MiB"].append(_memory("etcd"))
        asyncio.run(_kill(registry, ours))
    disk = sync_milliseconds()
    print(
        f"medians of {rounds} rounds; load {load:.1f} before and {os.getloadavg()[0]:.1f} after; a sync {disk:.1f} ms"
    )
    print("Consul and Eureka are not measured: this harness does not drive them.")
    print(f"| {'':42} | Rollcall | etcd | ratio |\n|---|---|---|---|")
    for name, figures in ours.items():
        own = statistics.median(figures)
        other = statistics.median(theirs[name]) if theirs.get(name) else None
        shown = f"{other:.4g} | {own / other:.2f}" if other else "- | -"
        print(f"| {name:42} | {own:.4g} | {shown} |")


def key(number: int) -> str:
    return base64.b64encode(f"k-{number}".encode()).decode()


async def _fill(url: str) -> None:
    client = Etcd(url)
    await client.open()
    for number in range(INSTANCES):
        await client.put(10_000_000 + number)
    client.close()


def _measure(make: Callable[[], Any], figures: Figures) -> None:
    asyncio.run(_alone(make(), figures))
    begun = next(NUMBERS)
    made, gone = count(begun), count(begun)
    rates = {
        "registrations a second": lambda client: client.put(next(made)),
        "deregistrations a second": lambda client: client.delete(next(gone)),
        "reads a second": lambda client: client.read(1, is_consistent=False),
        "consistent reads a second": lambda client: client.read(1, is_consistent=True),
    }
    for name, call in rates.items():
        figures[name].append(asyncio.run(_rate(make, call)))
    for _ in range(next(made) - begun + 1):
        next(NUMBERS)


async def _alone(client: Any, figures: Figures) -> None:
    await client.open()
    taken = []
    for _ in range(ALONE):
        began = time.perf_counter()
        await client.put(9_999_999)
        taken.append((time.perf_counter() - began) * 1000)
        await asyncio.sleep(PAUSE_SECONDS)
    client.close()
    figures["a PUT alone, p50, ms"].append(stack.percentile(taken, 0.5))
    figures["a PUT alone, p99, ms"].append(stack.percentile(taken, 0.99))


async def _rate(make: Callable[[], Any], call: Callable[[Any], Awaitable[None]]) -> float:
    clients = [make() for _ in range(CLIENTS)]
    for client in clients:
        await client.open()
    began = time.perf_counter()

    async def repeat(client: Any) -> int:
        done = 0
        while time.perf_counter() - began < SECONDS:
            await call(client)
            done += 1
        return done

    done = sum(await asyncio.gather(*map(repeat, clients)))
    took = time.perf_counter() - began
    for client in clients:
        client.close()
    return done / took


def _measure_changes(registry: Stack, figures: Figures) -> None:
    """Measure from the sending of a PUT to a dependent's webhook, and to the answer of a long poll."""
    receiver = Receiver()
    provider = "/v1/services/provider/instances/provider-1"
    with registry.client() as client:
        client.put(provider, json=BODY).raise_for_status()
        client.put(f"{provider}/heartbeat").raise_for_status()
        told = {
            "notify_url": f"http://127.0.0.1:{receiver.port}/",
            "notify_secret": "whsec_" + "A" * 32,
            "requires": ["provider"],
        }
        client.put("/v1/services/dependent/instances/dependent-1", json={**BODY, **told}).raise_for_status()
        time.sleep(1)
        webhooks, polls = [], []
        for number in range(ALONE):
            receiver.told.clear()
            at, revision, answered = asyncio.run(_change(registry, provider, number))
            webhooks.append((receiver.times(revision, 1)[0] - at) * 1000)
            polls.append((answered - at) * 1000)
            time.sleep(PAUSE_SECONDS)
    figures["a change to the watcher's long poll, p50, ms"].append(stack.percentile(polls, 0.5))
    figures["a change to the dependent's webhook, p50, ms"].append(stack.percentile(webhooks, 0.5))


async def _change(registry: Stack, provider: str, number: int) -> tuple[float, int, float]:
    """The time of the PUT, its revision, and the time of the long poll's answer."""
    waiting, changing = Client(registry), Client(registry)
    await waiting.open()
    await changing.open()
    listed = json.loads(await waiting.send("GET", "/v1/services/provider/instances"))
    poll = asyncio.create_task(
        waiting.send("GET", f"/v1/services/provider/instances?after={listed['revision']}&wait=10")
    )
    # Until the poll waits there.
    await asyncio.sleep(0.02)
    at = time.perf_counter()
    put = asyncio.create_task(changing.send("PUT", provider, {**BODY, "weight": number % 2 + 2}))
    await poll
    answered = time.perf_counter()
    revision = json.loads(await put)["revision"]
    waiting.close()
    changing.close()
    return at, revision, answered


def _add_watch(url: str | None, figures: Figures) -> None:
    if url:
        watched = stack.percentile(etcd.put_to_watch(ALONE), 0.5)
        for name in ("long poll", "webhook"):
            who = "watcher's" if name == "long poll" else "dependent's"
            figures[f"a change to the {who} {name}, p50, ms"].append(watched)


def _memory(named: str) -> float:
    """MiB of the processes that have this in their environment or command: each page shared among who holds it."""
    total = 0.0
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            text = (process / "environ").read_bytes() if "/" in named else (process / "comm").read_bytes()
            if process.name != str(os.getpid()) and named.encode() in text:
                lines = (process / "smaps_rollup").read_text().splitlines()
                total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024
    return total


async def _kill(registry: Stack, figures: Figures) -> None:
    """Seconds until each is critical, all at checks of 10 s, one after the other in their own time."""
    with tempfile.TemporaryDirectory() as directory:
        await asyncio.gather(
            *(
                _kill_one(registry, Path(directory), name, *HEARTBEATS[name], number, figures)
                for name in HEARTBEATS
                for number in range(KILLS)
            )
        )


async def _kill_one(
    registry: Stack, directory: Path, name: str, server: str, heartbeat: dict[str, Any], number: int, figures: Figures
) -> None:
    with _server(server) as (process, port):
        client = Client(registry)
        await client.open()
        service = "kill-" + "".join(each for each in name.lower() if each.isalpha())[-20:]
        address = f"/v1/services/{service}/instances/{service}-{number}"
        url = f"http://127.0.0.1:{port}"
        declared = {**heartbeat, "url": url} if heartbeat else {}
        await client.send("PUT", address, {"url": url, "heartbeat": declared})
        await _until(client, address, "passing", every_seconds=0.2)
        # Somewhere in an interval.
        await asyncio.sleep(1 + number * 10 / KILLS)
        process.send_signal(signal.SIGKILL)
        at = time.perf_counter()
        await _until(client, address, "critical", every_seconds=0.01)
        figures[f"{name}, s"].append(time.perf_counter() - at)
        client.close()


async def _until(client: Client, address: str, status: str, *, every_seconds: float) -> None:
    deadline = time.perf_counter() + LONGEST_KILL_SECONDS
    while time.perf_counter() < deadline:
        if json.loads(await client.send("GET", address))["status"] == status:
            return
        await asyncio.sleep(every_seconds)


@contextmanager
def _server(kind: str) -> Iterator[tuple["subprocess.Popen[bytes]", int]]:
    port = stack.free_port()
    process = subprocess.Popen([sys.executable, "-c", SERVERS[kind], str(port)])
    try:
        yield process, port
    finally:
        process.kill()
        process.wait()


if __name__ == "__main__":
    main()
