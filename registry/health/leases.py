"""Claiming probes. A claim is a lease: of a worker that dies with it nothing is lost, for the lease runs out."""

from collections.abc import Collection, Sequence
from operator import attrgetter
from typing import Any, NamedTuple

from django.db import connection, transaction

from registry.database import rows
from registry.health.verdict import Health, Thresholds
from registry.models import Heartbeat

# Beyond the probe's own timeout: the time to write what it found.
LEASE_MARGIN_SECONDS = 10.0


class Due(NamedTuple):
    """One probe that this process has claimed; to be made at `due_at`.

    A tuple, and as flat as the row it is read from, because thousands are made a second.
    """

    instance_id: int
    due_at: float
    passed_at: float | None
    # What is known of its health.
    verdict: str
    failures: int
    successes: int
    penalty: float
    penalty_at: float
    is_damped: bool
    # How it is declared.
    service: str
    instance: str
    kind: str
    url: str
    interval_seconds: float
    timeout_seconds: float
    warn_after_seconds: float | None
    failures_before_critical: int
    successes_before_passing: int
    # What everybody is told of it.
    status: str
    is_suspect: bool
    # Proves the claim when the result is written.
    lease_until: float

    @property
    def thresholds(self) -> Thresholds:
        return Thresholds(self.failures_before_critical, self.successes_before_passing)

    @property
    def health(self) -> Health:
        # SQLite has no booleans.
        return Health(self.verdict, self.failures, self.successes, self.penalty, self.penalty_at, bool(self.is_damped))


# Where they are read from: the heartbeat, and its instance, which calls three of them otherwise.
_HEARTBEAT = Due._fields[: Due._fields.index("service")]
_RENAMED = {"instance": "name", "kind": "heartbeat_kind", "url": "heartbeat_url"}
_INSTANCE = tuple(_RENAMED.get(name, name) for name in Due._fields[len(_HEARTBEAT) : -1])
_COLUMNS = ", ".join([*(f"heartbeat.{name}" for name in _HEARTBEAT), *(f"declared.{name}" for name in _INSTANCE)])
_read = attrgetter(*_HEARTBEAT, *(f"instance.{name}" for name in _INSTANCE), "lease_until")


def claim(*, now: float, limit: int, ahead: float = 0.0) -> list[Due]:
    """Take up to `limit` probes that are due within `ahead` seconds, those that wait longest first."""
    chosen = "due_at <= %s AND lease_until <= %s ORDER BY due_at LIMIT %s"
    return _claim(chosen, [now + ahead, now, limit], starts_by=now + ahead)


def claim_now(instance_ids: Collection[int], *, now: float) -> list[Due]:
    """Take these, to be probed at once if they are not due before, but for those that somebody holds already."""
    among, ids = rows.among("instance_id", instance_ids)
    found = _claim(f"{among} AND lease_until <= %s", [ids, now], starts_by=now)
    return [due._replace(due_at=min(due.due_at, now)) for due in found]


def due_of(heartbeat: Heartbeat) -> Due:
    """The claim of somebody who has locked the row."""
    return Due._make(_read(heartbeat))


@transaction.atomic
def _claim(chosen: str, parameters: Sequence[Any], *, starts_by: float) -> list[Due]:
    skip_locked = "FOR UPDATE OF heartbeat SKIP LOCKED" if connection.vendor == "postgresql" else ""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT {_COLUMNS} FROM registry_heartbeat heartbeat
            JOIN registry_instance declared ON declared.id = heartbeat.instance_id
            WHERE {chosen} {skip_locked}
            """,  # noqa: S608 -- what is put in are constants and placeholders
            parameters,
        )
        found = cursor.fetchall()
        base = starts_by + LEASE_MARGIN_SECONDS
        _lease([row[0] for row in found], base)
    timeout = Due._fields.index("timeout_seconds")
    return [Due._make((*row, base + row[timeout])) for row in found]


def _lease(instance_ids: Sequence[int], base: float) -> None:
    if not instance_ids:
        return
    among, ids = rows.among("instance_id", instance_ids)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            UPDATE registry_heartbeat
            SET lease_until = %s + (SELECT timeout_seconds FROM registry_instance WHERE id = instance_id)
            WHERE {among}
            """,  # noqa: S608 -- what is put in is a constant of ours
            [base, ids],
        )
