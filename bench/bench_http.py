"""HTTP servers under one small application: requests a second and processors' time of each, in turns and in one run.

The figures behind docs/decisions/0007-http-server.md. `wrk` asks, with 32 connections that are kept. *At once* is
what config/http answers without a task, as the registry does reads from memory and changes. `serve NAME PORT` is one of
them.
"""

import asyncio
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import product
from pathlib import Path
from statistics import median
from typing import Any

import uvicorn
import uvloop

from bench import stack
from config.http.server import Server, listen
from config.problems import RawResponse

CONNECTIONS = 32
ROUNDS = 3
SECONDS = 2
BODY = b'{"revision":7,"instances":[]}' * 20
LENGTH = (b"content-length", b"%d" % len(BODY))
HEADERS = ((b"content-type", b"application/json"), (b"etag", b'W/"7.0123abcd"'))
SERVERS = ("granian", "uvicorn", "config/http")
PUT = 'wrk.method = "PUT"\nwrk.body = string.rep("x", 300)'
AT_ONCE = " at once"
REQUESTS = {"GET": "", "PUT of 300 bytes": PUT, "GET at once": "", "PUT of 300 bytes at once": PUT}


class Application:
    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            while True:
                message = await receive()
                await send({"type": f"{message['type']}.complete"})
                if message["type"] == "lifespan.shutdown":
                    return
        if scope["method"] == "PUT":
            await receive()
        await send({"type": "http.response.start", "status": 200, "headers": [*HEADERS, LENGTH]})
        await send({"type": "http.response.body", "body": BODY})

    def at_once(self, scope: Any, *, has_waited: bool = False) -> RawResponse | None:
        return ANSWER if scope["path"] == "/at-once" else None

    def answer_soon(self, scope: Any, body: bytes) -> "asyncio.Future[RawResponse] | None":
        if scope["path"] != "/at-once":
            return None
        answered = asyncio.get_running_loop().create_future()
        answered.set_result(ANSWER)
        return answered

    def refusal(self, scope: Any, error: Exception) -> RawResponse:
        raise error


ANSWER = RawResponse(status=200, headers=HEADERS, body=BODY)
application = Application()


def main() -> None:
    if not shutil.which("wrk"):
        raise SystemExit("This benchmark needs wrk on PATH.")
    rates: dict[tuple[str, str], list[float]] = defaultdict(list)
    costs: dict[tuple[str, str], list[float]] = defaultdict(list)
    with ExitStack() as running:
        servers = {name: running.enter_context(serving(name)) for name in SERVERS}
        for _, request, name in product(range(ROUNDS), REQUESTS, SERVERS):
            if request.endswith(AT_ONCE) and name != "config/http":
                continue
            rate, microseconds = asked(*servers[name], request)
            rates[name, request].append(rate)
            costs[name, request].append(microseconds)
    print(f"Load {os.getloadavg()[0]:.1f}. In brackets: of granian's in this run.")
    print("| | " + " | ".join(f"{request}, a second | CPU, us" for request in REQUESTS) + " |")
    print("|---" * (1 + 2 * len(REQUESTS)) + "|")
    for name in SERVERS:
        cells = [name]
        for request in REQUESTS:
            first = ("granian", request.removesuffix(AT_ONCE))
            for figures in (rates, costs):
                found = figures.get((name, request))
                cells.append(f"{median(found):,.0f} ({median(found) / median(figures[first]):.2f})" if found else "-")
        print(f"| {' | '.join(cells)} |")


@contextmanager
def serving(name: str) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    port = stack.free_port()
    module = [sys.executable, "-m", "bench.bench_http", "serve", name, str(port)]
    granian = [sys.executable, "-m", "granian", "bench.bench_http:application", "--interface", "asgi", "--http", "1"]
    granian += ["--no-ws", "--log-level", "error", "--backpressure", "65536", "--port", str(port)]
    process = subprocess.Popen(granian if name == "granian" else module, cwd=stack.ROOT, start_new_session=True)
    try:
        stack.wait_for(f"http://127.0.0.1:{port}/")
        yield process, port
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait()


def serve(name: str, port: int) -> None:
    if name == "uvicorn":
        uvicorn.run("bench.bench_http:application", port=port, log_level="error", access_log=False)
        return
    server = Server(application, websockets=False)
    signal.signal(signal.SIGTERM, lambda *_: server.stop())
    uvloop.run(server.serve(sockets=[listen("127.0.0.1", port)]))


def asked(process: "subprocess.Popen[bytes]", port: int, request: str) -> tuple[float, float]:
    """Requests a second, and microseconds of processors' time for each."""
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(REQUESTS[request])
        script.flush()
        path = "at-once" if request.endswith(AT_ONCE) else ""
        command = ["wrk", "-t", "1", "-c", str(CONNECTIONS), "-d", f"{SECONDS}s", "-s", script.name]
        used = processor_seconds(process.pid)
        url = f"http://127.0.0.1:{port}/{path}"
        output = subprocess.run([*command, url], check=True, capture_output=True, text=True).stdout
        used = processor_seconds(process.pid) - used
    found = re.search(r"(\d+) requests in ([\d.]+)s", output)
    if not found or "Non-2xx" in output or "Socket errors" in output:
        raise SystemExit(output)
    return int(found[1]) / float(found[2]), used / int(found[1]) * 1_000_000


def processor_seconds(group: int) -> float:
    """User's and system's time of all processes of a group."""
    ticks = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[2]) == group:
            ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        serve(sys.argv[2], int(sys.argv[3]))
    else:
        main()
