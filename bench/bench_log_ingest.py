"""Keeping log records, beside the obvious ways to.

On SQLite with `synchronous=FULL` in a temporary directory; with LOGSVC_DATABASE_URL on that database, which must be
empty. Each way is run in turn and the best of its rounds counts.
"""

import os
import tempfile
import time
from collections.abc import Callable
from typing import TypeVar

RECORDS = 1000
ONE_BY_ONE = 100
ROUNDS = 5

Task = Callable[[], object]
T = TypeVar("T")


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="rollcall-bench-") as directory:
        os.environ |= {"ROLLCALL_DATA_DIR": directory, "DJANGO_SETTINGS_MODULE": "config.settings.logsvc"}
        compare_ingest()


def compare_ingest() -> None:
    import django
    from django.core.management import call_command
    from django.db import connection

    django.setup()
    call_command("migrate", verbosity=0)
    rates = ingest_rates()
    print(f"{connection.vendor}, records a second, {RECORDS} in a batch")
    for name, rate in rates.items():
        print(f"  {name:<34} {rate:>9,.0f}  {rate / rates['a transaction for each']:5.1f} times")


def ingest_rates() -> dict[str, float]:
    from logsvc.access import Services
    from logsvc.ingest import ndjson
    from logsvc.ingest.batch import Sender
    from logsvc.record import Record
    from logsvc.storage.current import store

    now_ns = time.time_ns()
    sender = Sender(token="bench", service="bench", services=Services(are_all=True), received_ns=now_ns)
    body = b"".join(line(number) for number in range(RECORDS))

    def records() -> list[Record]:
        return ndjson.read(body, sender=sender).records

    def append_each(some: list[Record]) -> None:
        for each in some[:ONE_BY_ONE]:
            store().append([each], received_ns=now_ns)

    ways: dict[str, tuple[int, Callable[[], Task]]] = {
        "a transaction for each": (ONE_BY_ONE, lambda: prepared(append_each, records())),
        "ndjson.read": (RECORDS, lambda: records),
        "store.append": (RECORDS, lambda: prepared(lambda some: store().append(some, received_ns=now_ns), records())),
        "both": (RECORDS, lambda: lambda: store().append(records(), received_ns=now_ns)),
    }
    return {name: count / best(make) for name, (count, make) in ways.items()}


def line(number: int) -> bytes:
    # Without a uid, so that each time it is read it is a record of its own.
    return (
        b'{"time": 1795435200000000000, "level": "INFO", "service": "grading", "instance": "grading-1", '
        b'"logger": "grading.gradebook", "message": "grade %d was added for student Ada Lovelace", '
        b'"attributes": {"course": "physics-2", "grade": %d}}\n' % (number, number)
    )


def prepared(act: Callable[[T], object], given: T) -> Task:
    return lambda: act(given)


def best(make: Callable[[], Task]) -> float:
    """The seconds of the quickest round; what is prepared for each of them is not counted."""
    seconds = []
    for _ in range(ROUNDS):
        task = make()
        began = time.perf_counter()
        task()
        seconds.append(time.perf_counter() - began)
    return min(seconds)


if __name__ == "__main__":
    main()
