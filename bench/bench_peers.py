"""One table: this registry, as users run it, beside those of etcd, Consul and Eureka that are on PATH.

All run on this machine at once and are measured in turns, each by the same client and the same calls; the table has the
medians of the rounds. The last column divides Rollcall's figure by that of the best peer; a peer that stores nothing on
disk is left out of it where something is written. Reads are asked by `wrk` where it is installed. `--rounds N` for more
than two.
"""

import asyncio
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, AsyncExitStack, ExitStack
from dataclasses import dataclass
from itertools import count, repeat

from bench import check_cost, consul, deaths, etcd, eureka, rollcall, stack
from bench.bench_writes import sync_milliseconds
from bench.peer import PAUSE_SECONDS, HealthChecker, Peer, Request, connected, memory_mebibytes, processor_seconds, send
from bench.sockets import Connection

ROUNDS = 2
CLIENTS = 32
SECONDS = 2.0
ALONE = 100
CHANGES = 40
LONGEST_WARM_UP_SECONDS = 20
INSTANCES = 1000
PEERS: dict[str, Callable[[], AbstractContextManager[Peer]]] = {
    "etcd": etcd.server,
    "consul": consul.server,
    "eureka-server": eureka.server,
}
MEMORY = f"memory, {INSTANCES:,} instances, MiB"
# Of each row, what each peer was measured at.
Figures = dict[str, dict[str, list[float]]]


@dataclass(frozen=True, kw_only=True)
class Load:
    done: int
    seconds: float
    processor_seconds: float

    @property
    def rate(self) -> float:
        return self.done / self.seconds


def main() -> None:
    rounds = int(sys.argv[sys.argv.index("--rounds") + 1]) if "--rounds" in sys.argv else ROUNDS
    figures: Figures = defaultdict(lambda: defaultdict(list))
    began, load = time.monotonic(), os.getloadavg()[0]
    with ExitStack() as running:
        there = [server for command, server in PEERS.items() if shutil.which(command)]
        peers = [running.enter_context(server()) for server in (rollcall.server, *there)]
        for peer in peers:
            asyncio.run(_fill(peer))
            figures[MEMORY][peer.name].append(memory_mebibytes(peer.mark))
            _warm_up(peer)
        for turn in range(rounds):
            for peer in peers:
                _measure(peer, turn, figures)
        for peer in peers:
            figures["memory after all that, MiB"][peer.name].append(memory_mebibytes(peer.mark))
        _measure_checks([peer for peer in peers if isinstance(peer, HealthChecker)], figures)
    print(
        f"Medians of {rounds} rounds in turns, {time.monotonic() - began:.0f} s in all; load {load:.1f} before and "
        f"{os.getloadavg()[0]:.1f} after; a sync of the disk {sync_milliseconds():.1f} ms."
    )
    if absent := [command for command in PEERS if not shutil.which(command)]:
        print(f"Not on PATH and so not measured: {', '.join(absent)}.")
    _print_table(peers, figures)


async def _fill(peer: Peer) -> None:
    async with connected(peer) as connection:
        for number in range(INSTANCES):
            await send(connection, peer.register(f"s-{number // 10}", f"i-{number}"))


def _warm_up(peer: Peer) -> None:
    done, until = 0, time.monotonic() + LONGEST_WARM_UP_SECONDS
    while done < peer.warm_up_reads and time.monotonic() < until:
        done += _load_reads(peer, peer.read("s-1")).done


def _measure(peer: Peer, turn: int, figures: Figures) -> None:
    def note(name: str, *values: float) -> None:
        figures[name][peer.name].extend(values)

    alone = asyncio.run(_alone(peer, turn))
    note("a PUT alone, p50, ms", stack.percentile(alone, 0.5))
    note("a PUT alone, p99, ms", stack.percentile(alone, 0.99))
    made, gone = _load_writes(peer.register, peer.deregister, peer, f"b-{turn}")
    if peer.has_agent:
        by_users = _load_writes(peer.register_as_users, peer.deregister_as_users, peer, f"u-{turn}")
    else:
        by_users = made, gone
    loads = {"registration": made, "deregistration": gone, "read": _load_reads(peer, peer.read("s-1"))}
    if consistent := peer.read_consistently("s-1"):
        loads["consistent read"] = _load_reads(peer, consistent)
    for name, load in loads.items():
        note(f"{name}s a second", load.rate)
        note(f"CPU of a {name}, us", load.processor_seconds / load.done * 1_000_000)
    for name, load in zip(("registrations", "deregistrations"), by_users, strict=True):
        note(f"{name} a second, by the call that users make", load.rate)
    for name, told in ("long poll or watch", peer.polled(CHANGES)), ("webhook", peer.pushed(CHANGES)):
        note(f"a change to the {name}, p50, ms", *([stack.percentile(told, 0.5)] if told else []))


def _measure_checks(peers: list[HealthChecker], figures: Figures) -> None:
    async def kill() -> list[dict[str, list[float]]]:
        return await asyncio.gather(*map(deaths.seconds_to_critical, peers))

    for peer, killed in zip(peers, asyncio.run(kill()), strict=True):
        for name, seconds in killed.items():
            figures[name][peer.name] = seconds
    for peer in peers:
        figures["CPU of a check by http, us"][peer.name].append(asyncio.run(check_cost.microseconds(peer)))


async def _alone(peer: Peer, turn: int) -> list[float]:
    """Milliseconds of registrations that change something, each a while after the other."""
    taken = []
    async with connected(peer) as connection:
        for number in range(ALONE):
            began = time.perf_counter()
            await send(connection, peer.register("alone", "alone-1", version=(turn * ALONE + number) % 1000 + 1))
            taken.append((time.perf_counter() - began) * 1000)
            await asyncio.sleep(PAUSE_SECONDS)
    return taken


def _load_writes(
    register: Callable[[str, str], Request], deregister: Callable[[str, str], Request], peer: Peer, prefix: str
) -> tuple[Load, Load]:
    """Deregister no more than was registered."""
    made = asyncio.run(_load(peer, (register("bench", f"{prefix}-{number}") for number in count())))
    gone = asyncio.run(_load(peer, (deregister("bench", f"{prefix}-{number}") for number in range(made.done))))
    return made, gone


async def _load(peer: Peer, requests: Iterator[Request]) -> Load:
    """Send the requests from many clients until they or the time are over."""
    async with AsyncExitStack() as open_connections:
        connections = [await open_connections.enter_async_context(connected(peer)) for _ in range(CLIENTS)]
        used, began = processor_seconds(peer.mark), time.perf_counter()
        done = 0

        async def work(connection: Connection) -> None:
            nonlocal done
            while time.perf_counter() - began < SECONDS and (request := next(requests, None)):
                await send(connection, request)
                done += 1

        await asyncio.gather(*map(work, connections))
        seconds = time.perf_counter() - began
    return Load(done=done, seconds=seconds, processor_seconds=processor_seconds(peer.mark) - used)


def _load_reads(peer: Peer, request: Request) -> Load:
    if not shutil.which("wrk"):
        return asyncio.run(_load(peer, repeat(request)))
    authorization = {"Authorization": f"Bearer {peer.token}"} if peer.token else {}
    headers = {"Accept": "application/json", "Content-Type": "application/json", **authorization}
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        body = f"wrk.body = {json.dumps(json.dumps(request.body))}\n" if request.body else ""
        script.write(f'wrk.method = "{request.method}"\n{body}')
        script.flush()
        command = ["wrk", "-t", "1", "-c", str(CLIENTS), "-d", f"{SECONDS:.0f}s", "-s", script.name]
        command += [part for name, value in headers.items() for part in ("-H", f"{name}: {value}")]
        used = processor_seconds(peer.mark)
        output = subprocess.run([*command, peer.url + request.path], check=True, capture_output=True, text=True).stdout
        used = processor_seconds(peer.mark) - used
    found = re.search(r"(\d+) requests in ([\d.]+)s", output)
    if not found or "Non-2xx" in output:
        raise SystemExit(output)
    return Load(done=int(found[1]), seconds=float(found[2]), processor_seconds=used)


def _print_table(peers: list[Peer], figures: Figures) -> None:
    print(f"| | {' | '.join(peer.name for peer in peers)} | Rollcall to the best peer |")
    print("|---" * (len(peers) + 2) + "|")
    for name, row in figures.items():
        medians = {peer.name: statistics.median(row[peer.name]) for peer in peers if row.get(peer.name)}
        is_write = any(word in name for word in ("PUT", "registration", "change"))
        compared = {
            peer.name: medians[peer.name]
            for peer in peers[1:]
            if peer.name in medians and (peer.is_durable or not is_write)
        }
        choose = max if "a second" in name else min
        best = choose(compared, key=lambda each: compared[each]) if compared else ""
        ratio = f"{medians[peers[0].name] / compared[best]:.2g} of {best}" if best else "-"
        shown = (_short(medians[peer.name]) if peer.name in medians else "-" for peer in peers)
        print(f"| {name} | {' | '.join(shown)} | {ratio} |")


def _short(figure: float) -> str:
    return f"{figure:,.0f}" if figure >= 100 else f"{figure:.3g}"


if __name__ == "__main__":
    main()
