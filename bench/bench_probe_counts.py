"""Cost of the history: beside each verdict that is written, and to be read.

Without history, as it is kept (in memory, and once a minute to the database), and written with each verdict; all in one
run, in simulated time. `--postgresql` runs it there.
"""

import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

FLEET = 6000
ROUNDS = 12
INTERVAL_SECONDS = 10
RESULTS_PER_WRITE = 600
SERVICES = 20
DAYS = 90
READS = 20


def main() -> None:
    with _registry():
        _measure_writes()
        _measure_reads()


@contextmanager
def _registry() -> Iterator[None]:
    with tempfile.TemporaryDirectory(prefix="rollcall-bench-") as directory, _database() as url:
        variables = {"ROLLCALL_DATA_DIR": directory, "DJANGO_SETTINGS_MODULE": "config.settings.registry"}
        os.environ.update(variables | ({"REGISTRY_DATABASE_URL": url} if url else {}))
        import django
        from django.core.management import call_command

        django.setup()
        call_command("migrate", verbosity=0)
        yield
        from django.db import connection

        connection.close()


@contextmanager
def _database() -> Iterator[str]:
    if "--postgresql" not in sys.argv:
        yield ""
        return
    from tests import postgresql

    with postgresql.server() as url:
        yield url


def _measure_writes() -> None:
    from datetime import UTC, datetime

    from registry.health import probe_counts
    from registry.health import results as heartbeats
    from registry.health.leases import claim
    from registry.health.probe import Finding, Result
    from registry.instances import declaration, registration
    from registry.instances.storage import Entry

    at = 1_800_000_000.0
    declared = declaration.declaration({"url": "http://127.0.0.1:9000"})
    entries = [
        Entry(key=declaration.instance_key(f"s-{n % SERVICES}", f"i-{n}"), declared=declared, author="bench")
        for n in range(FLEET)
    ]
    registration.register_many(entries, now=datetime.fromtimestamp(at, UTC))

    unwritten = probe_counts.Unwritten()

    def in_memory(results: list[Result], now: float) -> None:
        unwritten.see(results, now=now)
        unwritten.flush(now=now)

    def with_each(results: list[Result], now: float) -> None:
        probe_counts.record(results, now=now)

    def nothing(results: list[Result], now: float) -> None:
        pass

    def spend(keep: Callable[[list[Result], float], None]) -> float:
        """CPU-seconds and waiting for the disk, for each thousand probes."""
        nonlocal at
        spent, probes = 0.0, 0
        for _ in range(ROUNDS):
            at += INTERVAL_SECONDS * 1.2
            while due := claim(now=at, limit=RESULTS_PER_WRITE):
                results = [Result(due=d, finding=Finding.SUCCESS, detail="200", latency_ms=1.5) for d in due]
                started = time.perf_counter()
                heartbeats.record(results, now=datetime.fromtimestamp(at, UTC))
                keep(results, at)
                spent += time.perf_counter() - started
                probes += len(due)
        return spent / probes * 1000

    spend(nothing)
    without = spend(nothing)
    print("to write a thousand verdicts")
    for name, keep in (("without history", nothing), ("once a minute", in_memory), ("with each verdict", with_each)):
        seconds = spend(keep)
        print(f"  {name:18} {seconds * 1000:6.2f} ms  {seconds / without:5.2f}")


def _measure_reads() -> None:
    from django.db import connection
    from django.utils import timezone

    from registry.health import probe_counts, uptime
    from registry.health.probe_counts import DAY, HOUR, Counts, Period

    now = timezone.now()
    latest = int(now.timestamp() // 3600)
    counts = Counts(probes=360, failures=1, timed=359, latency_total_ms=500.0, latency_max_ms=9.0)
    names = [(f"s-{n % SERVICES}", f"old-{n}") for n in range(SERVICES * 10)]
    for hour in range(latest - DAYS * 24, latest + 1):
        probe_counts.write({Period(HOUR, service, name, hour): counts for service, name in names})
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE registry_rollup")

    def milliseconds(read: Callable[[], object]) -> float:
        read()
        started = time.perf_counter()
        for _ in range(READS):
            read()
        return (time.perf_counter() - started) / READS * 1000

    print(f"to read {DAYS} days, of {len(names)} instances")
    reads: dict[str, Callable[[], object]] = {
        "an instance by day": lambda: uptime.of_instance("s-0", "old-0", days=DAYS, span_hours=DAY, now=now),
        "an instance by hour": lambda: uptime.of_instance("s-0", "old-0", days=DAYS, span_hours=HOUR, now=now),
        "ten instances by day": lambda: uptime.of_service("s-0", days=DAYS, span_hours=DAY, now=now),
        "ten instances by hour": lambda: uptime.of_service("s-0", days=DAYS, span_hours=HOUR, now=now),
    }
    for name, read in reads.items():
        print(f"  {name:22} {milliseconds(read):6.2f} ms")


if __name__ == "__main__":
    main()
