"""The log service: records taken in over HTTP, searched and counted, at growing sizes of its store.

A real server on a free port, with a data directory that is thrown away; with LOGSVC_DATABASE_URL on that database,
which must be empty. Sizes are arguments, in records: `python -m bench.bench_log_service 100000 1000000`.
"""

import http.client
import os
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import msgspec

from bench.stack import RAISED, free_port

BASE = Path(__file__).resolve().parent.parent
BATCH = 2000
SENDERS = 3
ROUNDS = 60
# A record each 10 ms: a million reach back not quite three hours.
GAP_NS = 10_000_000
WORDS = (
    *("order", "payment", "user", "session", "cache", "queue", "index", "shard"),
    *("token", "page", "report", "mail", "image", "video", "search", "stream"),
)
SEARCHES = {
    "newest 100": "",
    "level>=error": "level>=error",
    "service and level": "service:billing level>=warn",
    "a word in each 2,000th": "rare7",
    "two words and a service": "service:grading payment cache",
    "a phrase": '"was handled"',
    "all but a word": "-payment",
    "an attribute": "attr.user:u77",
    "a trace": f"trace:{4711:032x}",
    "nothing": "nowhere",
}


def main() -> None:
    sizes = [int(word) for word in sys.argv[1:]] or [100_000]
    with (
        tempfile.TemporaryDirectory(prefix="rollcall-bench-") as directory,
        server(Path(directory)) as (
            port,
            token,
            process,
        ),
    ):
        stored = 0
        for size in sizes:
            began, spent = time.perf_counter(), cpu_seconds(process)
            how = fill(port, token, stored, size)
            seconds, spent = time.perf_counter() - began, cpu_seconds(process) - spent
            print(f"{size:,} records: {(size - stored) / seconds:,.0f} a second came in, {how}")
            print(
                f"  {spent / (size - stored) * 1e6:.1f} us of the server's processor for each: one core takes ", end=""
            )
            print(f"{(size - stored) / spent:,.0f} a second")
            print(
                f"  load {os.getloadavg()[0]:.1f}; {disk_bytes(Path(directory)) / size:,.0f} bytes on disk for each",
                flush=True,
            )
            stored = size
            search(port, token, process)


@contextmanager
def server(directory: Path) -> Iterator[tuple[int, str, int]]:
    port = free_port()
    environment = {
        **os.environ,
        "ROLLCALL_DATA_DIR": str(directory),
        "LOGSVC_PORT": str(port),
        **RAISED,
        "REGISTRY_URL": "http://127.0.0.1:9",
    }
    command = [sys.executable, str(BASE / "manage.py"), "logsvc"]
    subprocess.run([*command, "migrate", "-v0"], env=environment, check=True)
    made = subprocess.run(
        [*command, "create_token", "bench", "--scope", "log:read", "--scope", "log:write"],
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    )
    with (directory / "serve.log").open("w") as log:
        process = subprocess.Popen([*command, "serve"], env=environment, stdout=log, stderr=log)
    try:
        wait_until_it_answers(port)
        yield port, made.stdout.strip(), process.pid
    finally:
        process.terminate()
        process.wait(20)


def wait_until_it_answers(port: int) -> None:
    for _ in range(300):
        try:
            ask(port, "/healthz", "")
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError("the log service does not start")


def fill(port: int, token: str, first: int, end: int) -> str:
    """Send the records from `first` on, by several senders at once."""
    starts = iter(range(first, end, BATCH))
    lock, refused = threading.Lock(), 0

    def send() -> None:
        nonlocal refused
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/x-ndjson"}
        while True:
            with lock:
                start = next(starts, None)
            if start is None:
                return
            body = bodies(start, min(start + BATCH, end))
            while True:
                connection.request("POST", "/api/v1/logs", body, headers)
                response = connection.getresponse()
                response.read()
                if response.status == 200:
                    break
                assert response.status == 503, response.status
                refused += 1
                time.sleep(0.2)

    threads = [threading.Thread(target=send) for _ in range(SENDERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return f"{SENDERS} senders, {BATCH} in a request, {refused} times asked to wait"


def bodies(start: int, end: int) -> bytes:
    return b"\n".join(line(number) for number in range(start, end))


NOW_NS = time.time_ns() - 40 * 86_400_000_000_000 // 3


def line(number: int) -> bytes:
    level = "ERROR" if number % 50 == 0 else "WARN" if number % 20 == 0 else "DEBUG" if number % 4 == 0 else "INFO"
    word, other = WORDS[number % 16], WORDS[number // 16 % 16]
    rare = f" rare{number // 2000 % 10}" if number % 2000 == 0 else ""
    return (
        b'{"time":%d,"level":"%s","service":"%s","instance":"i-%d","logger":"app.%s","message":'
        b'"request %d for %s and %s was handled in %d ms%s","trace_id":"%032x","attributes":{"user":"u%d","ms":%d}}'
        % (
            NOW_NS + number * GAP_NS,
            level.encode(),
            (b"grading", b"webui", b"registry", b"billing")[number // 3 % 4],
            number % 8,
            word.encode(),
            number,
            word.encode(),
            other.encode(),
            number % 997,
            rare.encode(),
            number // 10,
            number % 5000,
            number % 997,
        )
    )


def search(port: int, token: str, process: int) -> None:
    end = urllib.parse.quote("now")
    for name, query in SEARCHES.items():
        print(f"  {name:<26} {timed(port, token, process, f'/api/v1/logs?q={urllib.parse.quote(query)}')}")
    histogram = f"/api/v1/logs/histogram?from=-14d&to={end}"
    print(f"  {'histogram, 14 days':<26} {timed(port, token, process, histogram)}")
    print(f"  {'histogram of a word':<26} {timed(port, token, process, f'{histogram}&q=payment', rounds=3)}")
    print(f"  {'services':<26} {timed(port, token, process, '/api/v1/services')}")


def timed(port: int, token: str, process: int, path: str, *, rounds: int = ROUNDS) -> str:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    spent, before = [], cpu_seconds(process)
    for _ in range(rounds):
        began = time.perf_counter()
        connection.request("GET", path, headers={"Authorization": f"Bearer {token}"})
        response = connection.getresponse()
        body = response.read()
        spent.append(time.perf_counter() - began)
        assert response.status == 200, body
    each_ms = (cpu_seconds(process) - before) / rounds * 1000
    spent.sort()
    found = msgspec.json.decode(body)
    count = len(found.get("records", [])) or sum(each["total"] for each in found.get("buckets", []))
    p50, p95 = spent[len(spent) // 2], spent[int(len(spent) * 0.95)]
    return f"p50 {p50 * 1000:7.1f} ms   p95 {p95 * 1000:7.1f} ms   processor {each_ms:7.1f} ms   {count:>9,} found"


def ask(port: int, path: str, token: str) -> bytes:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", path, headers={"Authorization": f"Bearer {token}"} if token else {})
    return connection.getresponse().read()


def cpu_seconds(process: int) -> float:
    """The processor time that a process has used: the figure to trust on a machine with other work."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def disk_bytes(directory: Path) -> int:
    """The size of the database, after what waits in the write-ahead log has been copied into it."""
    for path in directory.glob("logsvc.sqlite3"):
        with closing(sqlite3.connect(path, timeout=60)) as database:
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return sum(path.stat().st_size for path in directory.glob("logsvc.sqlite3*"))


if __name__ == "__main__":
    main()
