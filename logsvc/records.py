"""Keeping records: many with one statement, each once."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
from django.db import connection

from logsvc.entries import Entry

ENTRIES_PER_STATEMENT = 1000

_COLUMNS = "time, level, service, instance, logger, message, attributes, exception, uid"
# The rows travel as one JSON parameter: twice as quick as bulk_create on either database (bench/bench_log_ingest.py).
_SQLITE = f"""
    INSERT INTO logsvc_record (received_at, {_COLUMNS})
    SELECT %s, {", ".join(f"json_extract(value, '$.{column}')" for column in _COLUMNS.split(", "))}
    FROM json_each(%s) WHERE true
    ON CONFLICT DO NOTHING
"""  # noqa: S608 -- what is put in are constants
_POSTGRESQL = f"""
    INSERT INTO logsvc_record (received_at, {_COLUMNS})
    SELECT %s, time AT TIME ZONE 'UTC', {_COLUMNS.removeprefix("time, ")}
    FROM json_to_recordset(%s::json) AS given (
        time timestamp, level smallint, service text, instance text, logger text, message text,
        attributes jsonb, exception text, uid uuid
    )
    ON CONFLICT DO NOTHING
"""  # noqa: S608 -- what is put in are constants


def store(entries: Sequence[Entry], *, now: datetime) -> None:
    """Keep `entries`, in their order, except those whose uid is known: a batch sent again changes nothing.

    What this has returned from is on disk. A batch longer than one statement takes is kept piece by piece, so that no
    other sender waits for the whole of it.
    """
    for start in range(0, len(entries), ENTRIES_PER_STATEMENT):
        _insert(entries[start : start + ENTRIES_PER_STATEMENT], now)


def _insert(entries: Sequence[Entry], now: datetime) -> None:
    rows = msgspec.json.encode([_row(entry) for entry in entries]).decode()
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(_POSTGRESQL, [now, rows])
        else:
            cursor.execute(_SQLITE, [_timestamp(now), rows])


def _row(entry: Entry) -> dict[str, Any]:
    return msgspec.structs.asdict(entry) | {"time": _timestamp(entry.time), "uid": entry.uid.hex}


def _timestamp(time: datetime) -> str:
    """As Django keeps times in SQLite, and as PostgreSQL reads them."""
    return time.astimezone(UTC).replace(tzinfo=None).isoformat(sep=" ")
