"""From `kill -9` to critical, of each kind of heartbeat at checks of 10 s, with beat and the worker as users run them.

Real processes, each with one port, killed one after the other at any time of their interval; a quarter of them, which
is no mass failure. Each death's time is until the journal's entry of it arrives on the event stream.
`bench_deaths [EACH]`: how many die of each kind.
"""

import json
import os
import random
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

import httpx2

from bench import stack
from bench.stack import Stack, percentile

EACH = 25
FLEET_SHARE = 4
# What a crash detector learns of a server's habits, it learns from its first answers.
SETTLE_SECONDS = 25.0
BETWEEN_SECONDS = (0.05, 0.6)
LONGEST_SECONDS = 30.0
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"

Heard = dict[tuple[str, str], float]


def main() -> None:
    each = int(sys.argv[1]) if len(sys.argv) > 1 else EACH
    load = os.getloadavg()[0]
    with stack.registry() as registry:
        fleet = {kind: [_fork(serve) for _ in range(each * FLEET_SHARE)] for kind, (serve, _) in KINDS.items()}
        try:
            _measure(registry, fleet, each)
        finally:
            for pid, _ in (child for children in fleet.values() for child in children):
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
    print(
        f"{each} deaths of each kind among {each * FLEET_SHARE}; load {load:.1f} before, {os.getloadavg()[0]:.1f} after"
    )


def _measure(registry: Stack, fleet: dict[str, list[tuple[int, int]]], each: int) -> None:
    heard: Heard = {}
    for kind, children in fleet.items():
        _register(registry, kind, [port for _, port in children])
    _wait_until_passing(registry, list(fleet))
    time.sleep(SETTLE_SECONDS)
    is_open = threading.Event()
    threading.Thread(target=_listen, args=(registry, heard, is_open), daemon=True).start()
    is_open.wait()
    order = [(kind, number) for kind in fleet for number in range(each)]
    random.shuffle(order)
    killed: Heard = {}
    for kind, number in order:
        killed[kind, f"{kind}-{number}"] = time.perf_counter()
        os.kill(fleet[kind][number][0], signal.SIGKILL)
        time.sleep(random.uniform(*BETWEEN_SECONDS))
    until = time.perf_counter() + LONGEST_SECONDS
    while not killed.keys() <= heard.keys() and time.perf_counter() < until:
        time.sleep(0.1)
    took = {key: (heard.get(key, until) - at) * 1000 for key, at in killed.items()}
    print("| checks of 10 s | p50 | p99 | longest |\n|---|---|---|---|")
    for kind in [*fleet, ""]:
        some = [ms for (of, _), ms in took.items() if kind in ("", of)]
        p50, p99 = percentile(some, 0.5), percentile(some, 0.99)
        print(f"| {kind or 'all':16} | {p50:.0f} ms | {p99:.0f} ms | {max(some):.0f} ms |")


def _register(registry: Stack, kind: str, ports: list[int]) -> None:
    instances = [
        {
            "service": kind,
            "instance": f"{kind}-{number}",
            "url": f"http://127.0.0.1:{port}",
            **({"heartbeat": {"kind": declared, "interval_seconds": 10}} if (declared := KINDS[kind][1]) else {}),
        }
        for number, port in enumerate(ports)
    ]
    with registry.client() as client:
        client.post("/v1/registrations:batch", json={"instances": instances}).raise_for_status()


def _wait_until_passing(registry: Stack, kinds: list[str]) -> None:
    with registry.client() as client:
        while any(
            each["status"] != "passing"
            for kind in kinds
            for each in client.get(f"/v1/services/{kind}/instances?limit=1000").json()["instances"]
        ):
            time.sleep(0.5)


def _listen(registry: Stack, heard: Heard, is_open: threading.Event) -> None:
    # The registry ends the stream as it stops.
    streaming = suppress(httpx2.RemoteProtocolError)
    with streaming, registry.client() as client, client.stream("GET", "/v1/events", timeout=None) as stream:
        is_open.set()
        for line in stream.iter_lines():
            if line.startswith("data: "):
                entry = json.loads(line.removeprefix("data: "))
                if entry.get("change") == "critical":
                    heard.setdefault((entry["service"], entry["instance"]), time.perf_counter())


def _fork(serve: Callable[[socket.socket], None]) -> tuple[int, int]:
    """A process of its own that serves a port; returns its id and the port."""
    listening = socket.create_server(("127.0.0.1", 0))
    pid = os.fork()
    if pid == 0:
        try:
            serve(listening)
        finally:
            os._exit(1)
    port = listening.getsockname()[1]
    listening.close()
    return pid, int(port)


def _hold(listening: socket.socket) -> None:
    connections = []
    while True:
        connections.append(listening.accept())


def _answer(listening: socket.socket, *, closes: bool) -> None:
    """Answer each connection in a thread of its own, once or for as long as it is kept."""

    def answer(connection: Any) -> None:
        with connection:
            while connection.recv(65_536):
                connection.sendall(ANSWER)
                if closes:
                    return

    while True:
        connection, _ = listening.accept()
        threading.Thread(target=answer, args=(connection,), daemon=True).start()


# How each serves, and the kind of heartbeat it declares, if any.
KINDS: dict[str, tuple[Callable[[socket.socket], None], str]] = {
    "http-kept-alive": (partial(_answer, closes=False), "http"),
    "http-closing": (partial(_answer, closes=True), "http"),
    "tcp": (_hold, "tcp"),
    "undeclared": (partial(_answer, closes=True), ""),
}


if __name__ == "__main__":
    main()
