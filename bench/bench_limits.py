"""Cost of counting a request against its token's limit: in this process, and in Redis."""

import os
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import django
from redis import Redis, exceptions

from config.supervision.programs import redis_server

ROUNDS = 5000

# As Redis would count: one script, one round trip.
SCRIPT = """
local count = redis.call('INCR', KEYS[1])
if count == 1 then redis.call('PEXPIRE', KEYS[1], 1000) end
return count
"""


def main() -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings.test"
    django.setup()
    from config.tokens.holder import Holder
    from config.tokens.limits import REQUESTS, Limits

    limits, holder = Limits(), Holder(name="bench", scopes=frozenset(), limits={REQUESTS: 10**9})
    here = measured(lambda: limits.spend(holder, REQUESTS))
    with tempfile.TemporaryDirectory() as directory:
        socket = Path(directory) / "redis.sock"
        command = [redis_server(), "--port", "0", "--unixsocket", str(socket), "--save", ""]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        client = Redis(unix_socket_path=str(socket))
        await_redis(client)
        count = client.register_script(SCRIPT)
        there = measured(lambda: count(keys=["bench"]))
        client.close()
        process.terminate()
        process.wait()
    print(f"in this process {here * 1e6:6.1f} µs")
    print(f"in Redis        {there * 1e6:6.1f} µs, {there / here:.0f} times as long")


def measured(function: Callable[[], object]) -> float:
    """Seconds a call, the best of three rounds."""
    best = float("inf")
    for _ in range(3):
        began = time.perf_counter()
        for _ in range(ROUNDS):
            function()
        best = min(best, (time.perf_counter() - began) / ROUNDS)
    return best


def await_redis(client: "Redis") -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            client.ping()
            return
        except exceptions.ConnectionError:
            time.sleep(0.01)
    raise TimeoutError("Redis does not answer")


if __name__ == "__main__":
    main()
