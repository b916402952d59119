"""Writing many rows with one statement: per row it costs a thirtieth of `bulk_update` (bench/README.md)."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from django.db import connection

from registry.models import Instance

# SQLite takes 32,766 parameters in a statement.
ROWS_PER_STATEMENT = 1000

# The columns of HeartbeatRow, in its order, with PostgreSQL's types.
_TYPES = {
    "id": "bigint",
    "lease": "float8",
    "due_at": "float8",
    "verdict": "text",
    "penalty": "float8",
    "penalty_at": "float8",
    "is_damped": "boolean",
    "failures": "int",
    "successes": "int",
    "last_at": "float8",
    "passed_at": "float8",
    "latency_ms": "float8",
    "detail": "text",
}
_WRITTEN = [name for name in _TYPES if name not in ("id", "lease")]
_COLUMNS = ", ".join(_TYPES)
_ASSIGNMENTS = ", ".join(f"{name} = judged.{name}" for name in _WRITTEN)
_POSTGRESQL_ROW = f"({', '.join(f'%s::{kind}' for kind in _TYPES.values())})"
_SQLITE_ROW = f"({', '.join(['%s'] * len(_TYPES))})"


class HeartbeatRow(NamedTuple):
    """The new state of a heartbeat, and the lease that proves the right to write it."""

    instance_id: int
    claimed_lease_until: float
    due_at: float
    verdict: str
    penalty: float
    penalty_at: float
    is_damped: bool
    failures: int
    successes: int
    last_at: float
    passed_at: float | None
    latency_ms: float | None
    detail: str


def write_heartbeats(rows: Sequence[HeartbeatRow]) -> set[int]:
    """Write those whose lease is still the one they were claimed with; returns the instances' ids."""
    written: set[int] = set()
    for start in range(0, len(rows), ROWS_PER_STATEMENT):
        written |= _write(rows[start : start + ROWS_PER_STATEMENT])
    return written


def write_revisions(pairs: Sequence[tuple[int, int]]) -> None:
    """Give each instance, by its id, the revision of the entry that last changed it; of two, the later in order."""
    latest = list(dict(pairs).items())
    row = "(%s::bigint, %s::bigint)" if connection.vendor == "postgresql" else "(%s, %s)"
    for start in range(0, len(latest), ROWS_PER_STATEMENT):
        chunk = latest[start : start + ROWS_PER_STATEMENT]
        values = ", ".join([row] * len(chunk))
        with connection.cursor() as cursor:
            cursor.execute(
                f"""
                WITH journalled (instance_id, last) AS (VALUES {values})
                UPDATE registry_instance SET revision = journalled.last
                FROM journalled WHERE id = journalled.instance_id
                """,  # noqa: S608 -- what is put in are constants and placeholders
                [value for pair in chunk for value in pair],
            )


def write_statuses(instances: Sequence[Instance]) -> None:
    """Store what heartbeats say of these instances: `status`, `status_since`, `status_reason` and `is_suspect`."""
    kinds = ("bigint", "text", "timestamptz", "text", "boolean")
    row = ", ".join(f"%s::{kind}" if connection.vendor == "postgresql" else "%s" for kind in kinds)
    for start in range(0, len(instances), ROWS_PER_STATEMENT):
        chunk = instances[start : start + ROWS_PER_STATEMENT]
        values = ", ".join([f"({row})"] * len(chunk))
        with connection.cursor() as cursor:
            cursor.execute(
                f"""
                WITH judged (instance_id, status, since, reason, is_suspect) AS (VALUES {values})
                UPDATE registry_instance SET status = judged.status, status_since = judged.since,
                    status_reason = judged.reason, is_suspect = judged.is_suspect
                FROM judged WHERE id = judged.instance_id
                """,  # noqa: S608 -- what is put in are constants and placeholders
                [value for each in chunk for value in _status_values(each)],
            )


def _status_values(instance: Instance) -> tuple[Any, ...]:
    since = connection.ops.adapt_datetimefield_value(instance.status_since)
    return instance.pk, str(instance.status), since, instance.status_reason, instance.is_suspect


def _write(rows: Sequence[HeartbeatRow]) -> set[int]:
    row = _POSTGRESQL_ROW if connection.vendor == "postgresql" else _SQLITE_ROW
    values = ", ".join([row] * len(rows))
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH judged ({_COLUMNS}) AS (VALUES {values})
            UPDATE registry_heartbeat SET lease_until = 0, {_ASSIGNMENTS}
            FROM judged WHERE instance_id = judged.id AND lease_until = judged.lease
            RETURNING instance_id
            """,  # noqa: S608 -- what is put in are constants and placeholders
            [value for each in rows for value in each],
        )
        return {int(row[0]) for row in cursor.fetchall()}


def write_instances(instances: Sequence[Instance], columns: Sequence[str]) -> None:
    """Store these columns of the instances, as they are now."""
    fields = [field for field in Instance._meta.concrete_fields if field.attname in columns]
    assignments = ", ".join(f"{field.column} = %s" for field in fields)
    rows = [
        [*(field.get_db_prep_save(getattr(each, field.attname), connection) for field in fields), each.pk]
        for each in instances
    ]
    if rows:
        with connection.cursor() as cursor:
            cursor.executemany(f"UPDATE registry_instance SET {assignments} WHERE id = %s", rows)  # noqa: S608 -- names of ours
