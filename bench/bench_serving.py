"""Ways of serving Django: requests a second by server interface and kind of request, all in one run.

The figures behind docs/decisions/0001-serving.md. Each way is one granian worker; `wrk` asks where it is installed,
and else an asyncio client of our own in a process of its own, which reaches its limit before the quickest answers do.
"""

import asyncio
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import product
from statistics import median

import uvloop

from bench import stack

WAYS = {
    "WSGI": ("wsgi", "wsgi", ("--blocking-threads", "8")),
    "Django's ASGI handler": ("asgi", "asginl", ()),
    "hybrid, a2wsgi": ("a2wsgi", "asginl", ()),
    "hybrid, config.hybrid": ("hybrid", "asginl", ()),
}
PATHS = {"json": "small JSON", "query": "one raw query", "serializer": "serializers", "bytes": "bytes before Django"}
CONNECTIONS = 16
# Each is asked in turn, round after round, so that what else the machine does falls on all alike.
ROUNDS = 4
SECONDS = 1


def main() -> None:
    figures: dict[str, dict[str, list[float]]] = {way: {path: [] for path in PATHS} for way in WAYS}
    with ExitStack() as servers:
        ports = {way: servers.enter_context(serving(*how)) for way, how in WAYS.items()}
        for path, way in product(PATHS, WAYS):
            asked(ports[way], path, 0.3)
        for _, path, way in product(range(ROUNDS), PATHS, WAYS):
            figures[way][path].append(asked(ports[way], path, SECONDS))
    report({way: {path: median(rates) for path, rates in row.items()} for way, row in figures.items()})


def report(figures: dict[str, dict[str, float]]) -> None:
    """Requests a second, and in brackets what that is of WSGI's in this run."""
    print(f"| one granian worker, {CONNECTIONS} connections | " + " | ".join(PATHS.values()) + " |")
    print("|---|" + "---|" * len(PATHS))
    for way, row in figures.items():
        cells = [f"{row[path]:,.0f} ({row[path] / figures['WSGI'][path]:.2f})" for path in PATHS]
        print(f"| {way} | " + " | ".join(cells) + " |")


@contextmanager
def serving(application: str, interface: str, options: tuple[str, ...]) -> Iterator[int]:
    port = stack.free_port()
    granian = [sys.executable, "-m", "granian", f"bench.serving_app:{application}", "--interface", interface]
    where = ["--host", "127.0.0.1", "--port", str(port), "--workers", "1", "--http", "1", "--no-ws"]
    limits = ["--backlog", "4096", "--backpressure", "65536" if interface != "wsgi" else "4096", "--log-level", "error"]
    command = [*granian, *where, *limits, *options]
    process = subprocess.Popen(command, cwd=stack.ROOT, env=dict(os.environ), start_new_session=True)
    try:
        await_port(port)
        yield port
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait()


def await_port(port: int) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            asked(port, "json", 0.05)
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise SystemExit(f"nothing listens on port {port}")


def asked(port: int, path: str, seconds: float) -> float:
    """Requests answered with 200 a second; anything else ends the benchmark."""
    if seconds >= 1 and shutil.which("wrk"):
        return asked_by_wrk(port, path, seconds)
    arguments = [str(port), path, str(seconds)]
    command = [sys.executable, "-m", "bench.bench_serving", *arguments]
    result = subprocess.run(command, cwd=stack.ROOT, check=False, capture_output=True, text=True)
    if result.returncode:
        raise OSError(result.stderr.strip())
    return float(result.stdout)


def asked_by_wrk(port: int, path: str, seconds: float) -> float:
    url = f"http://127.0.0.1:{port}/{path}"
    command = ["wrk", "--threads", "1", "--connections", str(CONNECTIONS), "--duration", f"{seconds:.0f}s", url]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    if "Non-2xx" in output or "Socket errors" in output:
        raise SystemExit(output)
    found = re.search(r"Requests/sec:\s+([\d.]+)", output)
    assert found, output
    return float(found[1])


class Asker(asyncio.Protocol):
    """One connection that asks again as soon as it is answered."""

    def __init__(self, request: bytes, gone: "asyncio.Future[None]") -> None:
        self._request = request
        self._gone = gone
        self._received = bytearray()
        self.answers = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, found, body = bytes(self._received).partition(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", head)
        if not found or not length or len(body) < int(length[1]):
            return
        if not head.startswith(b"HTTP/1.1 200"):
            self._transport.close()
            return
        self.answers += 1
        self._received.clear()
        self._transport.write(self._request)

    def connection_lost(self, error: Exception | None) -> None:
        if not self._gone.done():
            self._gone.set_exception(ConnectionError(f"lost: {error or bytes(self._received)!r}"))


async def ask(port: int, path: str, seconds: float) -> float:
    loop = asyncio.get_running_loop()
    gone: asyncio.Future[None] = loop.create_future()
    request = f"GET /{path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()
    opened = [loop.create_connection(lambda: Asker(request, gone), "127.0.0.1", port) for _ in range(CONNECTIONS)]
    askers = [asker for _, asker in await asyncio.gather(*opened)]
    begun = time.perf_counter()
    done, _ = await asyncio.wait({gone}, timeout=seconds)
    for future in done:
        future.result()
    return sum(asker.answers for asker in askers) / (time.perf_counter() - begun)


if __name__ == "__main__":
    if len(sys.argv) == 4:
        print(uvloop.run(ask(int(sys.argv[1]), sys.argv[2], float(sys.argv[3]))))
    else:
        main()
