"""Keeping log records, beside the obvious ways to; and what a logging call costs, beside a plain log file.

On SQLite with `synchronous=FULL` in a temporary directory; with LOGSVC_DATABASE_URL on that database, whose records
are deleted. Each way is run in turn and the best of its rounds counts.
"""

import logging
import os
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TypeVar

RECORDS = 1000
ONE_BY_ONE = 100
ROUNDS = 5
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)

Task = Callable[[], object]
T = TypeVar("T")


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="rollcall-bench-") as directory:
        os.environ |= {"ROLLCALL_DATA_DIR": directory, "DJANGO_SETTINGS_MODULE": "config.settings.logsvc"}
        compare_ingest()
        compare_logging(Path(directory))


def compare_ingest() -> None:
    import django
    from django.core.management import call_command
    from django.db import connection

    django.setup()
    call_command("migrate", verbosity=0)
    rates = ingest_rates()
    print(f"{connection.vendor}, records a second, {RECORDS} in a batch")
    for name, rate in rates.items():
        print(f"  {name:<34} {rate:>9,.0f}  {rate / rates['save() for each']:5.1f} times")


def ingest_rates() -> dict[str, float]:
    from django.db.models import QuerySet
    from logsvc.entries import Entry

    from logsvc import records
    from logsvc.ingest import ndjson
    from logsvc.models import Record

    body = b"".join(line(number) for number in range(RECORDS))

    def entries() -> list[Entry]:
        return ndjson.read(body, sender="grading", now=NOW).entries

    def rows() -> list[Record]:
        return [Record(received_at=NOW, **{name: getattr(e, name) for name in e.__struct_fields__}) for e in entries()]

    def save_each(some: list[Record]) -> None:
        for row in some[:ONE_BY_ONE]:
            row.save()

    def bulk_create(some: list[Record]) -> QuerySet[Record] | list[Record]:
        return Record.objects.bulk_create(some, ignore_conflicts=True)

    ways: dict[str, tuple[int, Callable[[], Task]]] = {
        "save() for each": (ONE_BY_ONE, lambda: prepared(save_each, rows())),
        "bulk_create": (RECORDS, lambda: prepared(bulk_create, rows())),
        "records.store": (RECORDS, lambda: prepared(lambda some: records.store(some, now=NOW), entries())),
        "ndjson.read and records.store": (RECORDS, lambda: lambda: records.store(entries(), now=NOW)),
    }
    try:
        return {name: count / best(make) for name, (count, make) in ways.items()}
    finally:
        Record.objects.all().delete()


def compare_logging(directory: Path) -> None:
    from logsvc.client import LogHandler

    handlers = {
        "logging.FileHandler": logging.FileHandler(directory / "plain.log"),
        "LogHandler, log service away": LogHandler(
            service="bench", token="none", endpoint=lambda: None, spool_dir=directory / "spool"
        ),
    }
    print("microseconds for each logging call")
    for name, handler in handlers.items():
        spent = best(partial(prepared, log_many, handler))
        handler.close()
        print(f"  {name:<34} {spent / RECORDS * 1_000_000:9.1f}")


def log_many(handler: logging.Handler) -> None:
    logger = logging.getLogger("bench")
    logger.propagate = False
    logger.setLevel(logging.INFO)
    logger.addHandler(handler)
    for number in range(RECORDS):
        logger.info("grade %d was added for student %s", number, "Ada Lovelace")
    logger.removeHandler(handler)


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
