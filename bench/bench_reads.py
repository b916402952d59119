"""Reads per second, from memory and from the database, as the fleet grows; and what thousands who wait cost.

One process serves. `wrk` asks where it is installed, else a client of our own, which reaches its limit before the
quickest answers do.
"""

import asyncio
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit

from bench import stack
from bench.stack import Stack

FLEETS = (100, 1_000, 10_000, 30_000)
CONNECTIONS = 16
SECONDS = 3
WAITING = 2_000
SERVICE = "/v1/services/s-0/instances"
LIST = "/v1/services"


def main() -> None:
    if len(sys.argv) > 1:
        print(asyncio.run(_ask(*sys.argv[1:])))
        return
    with stack.registry(workers=False) as registry:
        stack.grow(registry, 10)
        asyncio.run(_wait_and_wake(registry))
        print("instances   one service, memory   one service, database   all services, memory   all, database")
        first: list[float] = []
        for fleet in FLEETS:
            stack.grow(registry, fleet)
            figures = [
                asked(registry, path, distinct=distinct) for path in (SERVICE, LIST) for distinct in (False, True)
            ]
            first = first or figures
            shown = (f"{each:,.0f} ({each / base:.2f})" for each, base in zip(figures, first, strict=True))
            print(f"{fleet:>9,}   " + "   ".join(f"{each:>21}" for each in shown))


def asked(registry: Stack, path: str, *, distinct: bool) -> float:
    """Answers per second; `distinct`: each asks for what nobody has asked for before, by a cursor before all names."""
    if shutil.which("wrk"):
        return _asked_by_wrk(registry, path, distinct=distinct)
    command = [sys.executable, "-m", "bench.bench_reads", registry.url, registry.token, path, "distinct" * distinct]
    return float(subprocess.run(command, cwd=stack.ROOT, check=True, capture_output=True, text=True).stdout)


def _asked_by_wrk(registry: Stack, path: str, *, distinct: bool) -> float:
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        same = 'return wrk.format("GET", path)'
        another = 'at = at + 1; return wrk.format("GET", path .. "?cursor=a" .. started .. at)'
        script.write(
            f'path = "{path}"; started = "{time.time_ns()}"; at = 0\n'
            f"request = function() {another if distinct else same} end\n"
        )
        script.flush()
        command = ["wrk", "-t", "1", "-c", str(CONNECTIONS), "-d", f"{SECONDS}s", "-s", script.name]
        output = subprocess.run(
            [*command, "-H", f"Authorization: Bearer {registry.token}", registry.url],
            check=True,
            capture_output=True,
            text=True,
        ).stdout
    if "Non-2xx" in output:
        raise SystemExit(output)
    found = re.search(r"Requests/sec:\s+([\d.]+)", output)
    assert found, output
    return float(found[1])


async def _ask(url: str, token: str, path: str, distinct: str) -> float:
    until, answered = time.monotonic() + SECONDS, 0

    async def ask(number: int) -> None:
        nonlocal answered
        reader, writer = await _connect(url)
        while time.monotonic() < until:
            number += CONNECTIONS
            query = f"?cursor=a{time.time_ns()}{number}" if distinct else ""
            writer.write(_request(path + query, token))
            await _read_answer(reader)
            answered += 1
        writer.close()

    await asyncio.gather(*map(ask, range(CONNECTIONS)))
    return answered / SECONDS


async def _wait_and_wake(registry: Stack) -> None:
    process = _server(registry)
    before = _resident_kilobytes(process)
    with registry.client() as client:
        revision = client.get(SERVICE).json()["revision"]
        request = _request(f"{SERVICE}?after={revision}&wait=60s", registry.token)
        waiting = [await _begin_wait(registry.url, request) for _ in range(WAITING)]
        await asyncio.sleep(1)
        each = (_resident_kilobytes(process) - before) / WAITING
        answers = asyncio.gather(*(_read_answer(reader) for reader, _ in waiting))
        started = time.perf_counter()
        await asyncio.to_thread(_change, registry)
        changed = time.perf_counter()
        await answers
    print(
        f"{WAITING:,} waiting: {each:.0f} kB each; a change took {(changed - started) * 1000:.0f} ms, "
        f"and {(time.perf_counter() - started) * 1000:.0f} ms after it was sent all were answered"
    )
    for _, writer in waiting:
        writer.close()


def _change(registry: Stack) -> None:
    with registry.client() as client:
        client.put(f"{SERVICE}/one-more", json={"url": "http://127.0.0.1:9"}).raise_for_status()


async def _begin_wait(url: str, request: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await _connect(url)
    writer.write(request)
    return reader, writer


async def _connect(url: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    parts = urlsplit(url)
    return await asyncio.open_connection(parts.hostname, parts.port)


def _request(path: str, token: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\r\n".encode()


async def _read_answer(reader: asyncio.StreamReader) -> None:
    head = await reader.readuntil(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200"):
        raise SystemExit(head.decode())
    length = re.search(rb"content-length: (\d+)", head)
    assert length
    await reader.readexactly(int(length[1]))


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


def _resident_kilobytes(process: Path) -> int:
    found = re.search(r"VmRSS:\s+(\d+)", process.joinpath("status").read_text())
    assert found
    return int(found[1])


if __name__ == "__main__":
    main()
