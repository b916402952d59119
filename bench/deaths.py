"""Servers that are killed, and how long a registry takes to call each critical."""

import asyncio
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from bench import stack
from bench.peer import Check, HealthChecker, connected, send
from bench.sockets import Connection

EACH = 4
LONGEST_SECONDS = 40.0

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


@dataclass(frozen=True, kw_only=True)
class Death:
    server: str
    # Without one, as the registry chooses.
    kind: str
    interval_seconds: int

    @property
    def name(self) -> str:
        kind = {"http": f"http, {self.server}", "tcp": "tcp", "": "nothing declared"}[self.kind]
        return f"kill -9 to critical, {kind}, checks of {self.interval_seconds} s, s"


DEATHS = [
    Death(server="kept alive", kind="http", interval_seconds=1),
    Death(server="closing", kind="http", interval_seconds=1),
    Death(server="tcp", kind="tcp", interval_seconds=1),
    Death(server="kept alive", kind="http", interval_seconds=10),
    Death(server="closing", kind="http", interval_seconds=10),
    Death(server="tcp", kind="tcp", interval_seconds=10),
    Death(server="closing", kind="", interval_seconds=10),
]


async def seconds_to_critical(peer: HealthChecker) -> dict[str, list[float]]:
    """All at once, each killed in its own part of an interval."""
    killed = [(death, number) for death in DEATHS for number in range(EACH)]
    taken = await asyncio.gather(*(_kill(peer, death, number) for death, number in killed))
    figures: dict[str, list[float]] = {death.name: [] for death in DEATHS}
    for (death, _), seconds in zip(killed, taken, strict=True):
        if seconds is not None:
            figures[death.name].append(seconds)
    return figures


async def _kill(peer: HealthChecker, death: Death, number: int) -> float | None:
    """None if the registry does not check such a server."""
    with _server(death.server) as (process, port):
        service = f"kill-{port}"
        check = Check(
            service=service,
            instance=f"{service}-1",
            port=port,
            kind=death.kind,
            interval_seconds=death.interval_seconds,
        )
        request = peer.check(check)
        if request is None:
            return None
        async with connected(peer) as connection:
            await send(connection, request)
            await _until(peer, connection, service, is_critical=False)
            await asyncio.sleep(1 + number * death.interval_seconds / EACH)
            process.send_signal(signal.SIGKILL)
            at = time.perf_counter()
            await _until(peer, connection, service, is_critical=True)
            return time.perf_counter() - at


async def _until(peer: HealthChecker, connection: Connection, service: str, *, is_critical: bool) -> None:
    async with asyncio.timeout(LONGEST_SECONDS):
        state = peer.state(await send(connection, peer.poll(service)))
        while not (state.is_critical if is_critical else state.is_passing):
            state = peer.state(await send(connection, peer.poll(service, after=state.index)))


@contextmanager
def _server(kind: str) -> Iterator[tuple["subprocess.Popen[bytes]", int]]:
    port = stack.free_port()
    process = subprocess.Popen([sys.executable, "-c", SERVERS[kind], str(port)])
    try:
        yield process, port
    finally:
        process.kill()
        process.wait()
