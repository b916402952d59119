"""Stores the records of the first release's table."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any

from logsvc import severity
from logsvc.record import EXCEPTION_STACKTRACE, Record
from logsvc.storage.postgresql import PostgresqlStore
from logsvc.storage.sqlite import SqliteStore

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def store(rows: Iterable[Any], *, vendor: str) -> None:
    kept = PostgresqlStore() if vendor == "postgresql" else SqliteStore()
    for received_at, some in groupby(rows, key=lambda row: row.received_at):
        kept.append([_record(row) for row in some], received_ns=_nanoseconds(received_at))


def _record(row: Any) -> Record:
    attributes = dict(row.attributes)
    if row.exception:
        attributes[EXCEPTION_STACKTRACE] = row.exception
    number = severity.from_python(row.level)
    return Record(
        time_ns=_nanoseconds(row.time),
        observed_ns=_nanoseconds(row.received_at),
        severity=number,
        severity_text=severity.python_name(number),
        service=row.service,
        instance=row.instance,
        logger=row.logger,
        body=row.message,
        attributes=attributes,
        uid=row.uid.hex,
    )


def _nanoseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1) * 1000
