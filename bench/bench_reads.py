"""Reads per second, from memory and from the database, as the fleet grows.

One process serves; `--postgresql` runs it there. `wrk` asks where it is installed, else a client of our own, which
reaches its limit before the quickest answers do.
"""

import asyncio
import re
import shutil
import subprocess
import sys
import tempfile
import time

from bench import sockets, stack
from bench.stack import Stack

FLEETS = (100, 1_000, 10_000, 30_000)
CONNECTIONS = 16
SECONDS = 3
SERVICE = "/v1/services/s-0/instances"
# Each in its turn.
SERVICES = "/v1/services/s-{}/instances"
LIST = "/v1/services"
KINDS = {
    "one service, memory": (SERVICE, False),
    "one service, database": (SERVICE, True),
    "each in turn, database": (SERVICES, True),
    "all services, memory": (LIST, False),
    "all services, database": (LIST, True),
}


def main() -> None:
    is_postgresql = sys.argv[1:] == ["--postgresql"]
    if len(sys.argv) > 1 and not is_postgresql:
        print(asyncio.run(_ask(*sys.argv[1:])))
        return
    with stack.database(is_postgresql=is_postgresql) as variables, stack.registry(**variables) as served:
        print("instances   " + "   ".join(f"{name:>22}" for name in KINDS))
        first: list[float] = []
        for fleet in FLEETS:
            stack.grow(served, fleet)
            figures = [
                asked(served, path, distinct=distinct, services=fleet // 10) for path, distinct in KINDS.values()
            ]
            first = first or figures
            shown = (f"{each:,.0f} ({each / base:.2f})" for each, base in zip(figures, first, strict=True))
            print(f"{fleet:>9,}   " + "   ".join(f"{each:>22}" for each in shown))


def asked(registry: Stack, path: str, *, distinct: bool, services: int) -> float:
    """Answers per second; `distinct`: each asks for what nobody has asked for before, by a cursor before all names."""
    if shutil.which("wrk"):
        return _asked_by_wrk(registry, path, distinct=distinct, services=services)
    command = [sys.executable, "-m", "bench.bench_reads", registry.url, registry.token, path]
    command += ["distinct" * distinct, str(services)]
    return float(subprocess.run(command, cwd=stack.ROOT, check=True, capture_output=True, text=True).stdout)


def _asked_by_wrk(registry: Stack, path: str, *, distinct: bool, services: int) -> float:
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        same = 'return wrk.format("GET", path)'
        in_turn = f'path:gsub("{{}}", at % {services})'
        another = f'at = at + 1; return wrk.format("GET", ({in_turn}) .. "?cursor=a" .. started .. at)'
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


async def _ask(url: str, token: str, path: str, distinct: str, services: str) -> float:
    until, answered = time.monotonic() + SECONDS, 0

    async def ask(number: int) -> None:
        nonlocal answered
        reader, writer = await sockets.connect(url)
        while time.monotonic() < until:
            number += CONNECTIONS
            query = f"?cursor=a{time.time_ns()}{number}" if distinct else ""
            writer.write(sockets.request(path.format(number % int(services)) + query, token))
            await sockets.read_answer(reader)
            answered += 1
        writer.close()

    await asyncio.gather(*map(ask, range(CONNECTIONS)))
    return answered / SECONDS


if __name__ == "__main__":
    main()
