"""Claims probes. A claim is a lease: when its worker dies, the lease runs out and another worker takes over."""

from collections.abc import Collection, Sequence
from typing import Any

from django.db import connection, transaction

from registry.database import rows
from registry.health.probe import Due
from registry.models import Heartbeat, InstanceKey

# The time beyond the probe's own timeout, to write its result.
LEASE_MARGIN_SECONDS = 5.0

_HEARTBEAT = (
    "instance_id",
    "due_at",
    "passed_at",
    "verdict",
    "failures",
    "successes",
    "penalty",
    "penalty_at",
    "is_damped",
)
# The columns of an instance that are named otherwise in Due.
_RENAMED = {"instance": "name", "kind": "heartbeat_kind", "url": "heartbeat_url"}
# When a lease given now runs out: one expression, for storing it and for returning it.
_LEASE_UNTIL = "%s + declared.timeout_seconds"


def _source(field: str) -> str:
    """The SQL that yields a field of Due."""
    if field == "lease_until":
        return _LEASE_UNTIL
    return f"heartbeat.{field}" if field in _HEARTBEAT else f"declared.{_RENAMED.get(field, field)}"


# In the order of Due's fields.
_COLUMNS = ", ".join(f"{_source(field)} AS {field}" for field in Due._fields)
# The same with the stored lease instead of a new one.
_STANDING = ", ".join("heartbeat.lease_until" if field == "lease_until" else _source(field) for field in Due._fields)


def claim(*, now: float, limit: int, ahead: float = 0.0) -> list[Due]:
    """Claim up to `limit` probes that are due within `ahead` seconds, longest overdue first."""
    chosen = "heartbeat.due_at <= %s AND heartbeat.lease_until <= %s ORDER BY heartbeat.due_at LIMIT %s"
    return _claim(chosen, [now + ahead, now, limit], starts_by=now + ahead)


def claim_now(instance_ids: Collection[int], *, now: float) -> list[Due]:
    """Claim these instances to be probed at once, except those that are claimed already."""
    among, ids = rows.among("heartbeat.instance_id", instance_ids)
    found = _claim(f"{among} AND heartbeat.lease_until <= %s", [ids, now], starts_by=now)
    return [due._replace(due_at=min(due.due_at, now)) for due in found]


def due_of(heartbeat: Heartbeat) -> Due:
    """The claim of a caller that has locked the row."""
    fields = {field: getattr(heartbeat, field) for field in (*_HEARTBEAT, "lease_until")}
    declared = heartbeat.instance
    others = (field for field in Due._fields if field not in fields)
    return Due(**fields, **{field: getattr(declared, _RENAMED.get(field, field)) for field in others})


def beating(keys: Sequence[InstanceKey]) -> dict[InstanceKey, Due]:
    """The current heartbeats of these instances, locked until the transaction ends."""
    pairs = [(key.service, key.instance) for key in keys]
    condition, parameters = rows.among_pairs("(declared.service, declared.name)", pairs)
    lock = ""
    if connection.vendor == "postgresql":
        # All instances before the first heartbeat: the order of all writers.
        list(rows.named(pairs, order="id", locked=True))
        lock = "FOR UPDATE OF heartbeat"
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT {_STANDING} FROM registry_heartbeat heartbeat
            JOIN registry_instance declared ON declared.id = heartbeat.instance_id
            WHERE {condition} ORDER BY declared.id {lock}
            """,  # noqa: S608 -- what is put in are constants and placeholders
            parameters,
        )
        found = [Due._make(row) for row in cursor.fetchall()]
    return {InstanceKey(service=due.service, instance=due.instance): due for due in found}


@transaction.atomic
def set_clock_back(seconds: float, *, now: float) -> None:
    """Move due times back by as much as the clock was, so that nothing waits until the old time comes again."""
    with connection.cursor() as cursor:
        for column in ("due_at", "lease_until"):
            cursor.execute(
                f"UPDATE registry_heartbeat SET {column} = {column} - %s WHERE {column} > %s",  # noqa: S608 -- names of ours
                [seconds, now],
            )


@transaction.atomic
def _claim(chosen: str, parameters: Sequence[Any], *, starts_by: float) -> list[Due]:
    skip_locked = "FOR UPDATE OF heartbeat SKIP LOCKED" if connection.vendor == "postgresql" else ""
    base = starts_by + LEASE_MARGIN_SECONDS
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT {_COLUMNS} FROM registry_heartbeat heartbeat
            JOIN registry_instance declared ON declared.id = heartbeat.instance_id
            WHERE {chosen} {skip_locked}
            """,  # noqa: S608 -- what is put in are constants and placeholders
            [base, *parameters],
        )
        claimed = [Due._make(row) for row in cursor.fetchall()]
        if claimed:
            among, ids = rows.among("instance_id", [due.instance_id for due in claimed])
            cursor.execute(
                f"""
                UPDATE registry_heartbeat SET lease_until = (
                    SELECT {_LEASE_UNTIL} FROM registry_instance declared WHERE declared.id = instance_id
                ) WHERE {among}
                """,  # noqa: S608 -- what is put in are constants of ours
                [base, ids],
            )
    return claimed
