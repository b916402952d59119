"""Registrations per second: one call each from 32 clients as the fleet grows, and one call for ten thousand.

Beside them, in the same run, what a transaction for each registration would allow: the same storing, one at a time.
`--postgresql` runs it there.
"""

import asyncio
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import count
from typing import Any
from urllib.parse import urlsplit

from bench import stack
from bench.stack import Stack

CLIENTS = 32
SECONDS = 3.0
FLEETS = (100, 1_000, 10_000, 30_000)
BATCH = 10_000
BATCHES = 3
DECLARED = {"url": "http://127.0.0.1:9000", "requires": ["logsvc"], "heartbeat": stack.TTL}
ONE_AT_A_TIME = f"""
import django, time
django.setup()
from django.utils import timezone
from registry.instances import declaration, registration
declared = declaration.declaration({DECLARED})
started, number = time.perf_counter(), 0
while time.perf_counter() - started < 3:
    key = declaration.instance_key("alone", f"alone-{{number}}")
    registration.register(key, declared, author="bench", now=timezone.now())
    number += 1
print(number / (time.perf_counter() - started))
"""


def main() -> None:
    is_postgresql = "--postgresql" in sys.argv
    with stack.database(is_postgresql=is_postgresql) as variables, stack.registry(**variables) as registry:
        one_at_a_time = _one_at_a_time(registry)
        print(f"one at a time, no HTTP:    {one_at_a_time:7.0f} per second")
        numbers = count()
        for fleet in FLEETS:
            stack.grow(registry, fleet)
            together = asyncio.run(_together(registry, numbers))
            ratio = together / one_at_a_time
            print(f"{CLIENTS} clients, a call each, {fleet:6,} there: {together:7.0f} per second, {ratio:4.1f} times")
        batch = statistics.median(_batch(registry, number) for number in range(BATCHES))
    print(f"one call for {BATCH:,}:     {batch:7.0f} per second, {batch / one_at_a_time:.1f} times as many")


def _one_at_a_time(registry: Stack) -> float:
    program = [sys.executable, "-c", ONE_AT_A_TIME]
    made = subprocess.run(program, env=registry.environment, cwd=stack.ROOT, check=True, capture_output=True)
    return float(made.stdout)


async def _together(registry: Stack, numbers: Iterator[int]) -> float:
    until = time.perf_counter() + SECONDS
    done = await asyncio.gather(*(_register(registry, numbers, until) for _ in range(CLIENTS)))
    return sum(done) / SECONDS


async def _register(registry: Stack, numbers: Iterator[int], until: float) -> int:
    port = urlsplit(registry.url).port
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    body = json.dumps(DECLARED).encode()
    done = 0
    while time.perf_counter() < until:
        writer.write(
            f"PUT /v1/services/bench/instances/bench-{next(numbers)} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            f"Authorization: Bearer {registry.token}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n".encode()
            + body
        )
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        await reader.readexactly(length)
        assert head.startswith(b"HTTP/1.1 201"), head
        done += 1
    writer.close()
    return done


def _batch(registry: Stack, run: int) -> float:
    instances: list[dict[str, Any]] = [
        {"service": "batch", "instance": f"batch-{run}-{number}", **DECLARED} for number in range(BATCH)
    ]
    body = json.dumps({"instances": instances}).encode()
    with registry.client() as client:
        started = time.perf_counter()
        client.post(
            "/v1/registrations:batch", content=body, headers={"Content-Type": "application/json"}
        ).raise_for_status()
        return BATCH / (time.perf_counter() - started)


if __name__ == "__main__":
    main()
