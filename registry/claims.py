"""Claiming probes. A claim is a lease: of a worker that dies with it nothing is lost, for the lease runs out."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from django.db import connection

from registry.models import Heartbeat, Instance
from registry.verdict import Health, Thresholds

# Beyond the probe's own timeout: the time to write what it found.
LEASE_MARGIN_SECONDS = 10.0
# SQLite takes 32,766 parameters in a statement.
IDS_PER_STATEMENT = 10_000

# Of the heartbeat and of its instance, in the order in which `_due` reads them.
_HEARTBEAT = (
    "instance_id",
    "due_at",
    "lease_until",
    "verdict",
    "failures",
    "successes",
    "penalty",
    "penalty_at",
    "is_damped",
    "passed_at",
)
_INSTANCE = (
    "service",
    "name",
    "heartbeat_kind",
    "heartbeat_url",
    "interval_seconds",
    "timeout_seconds",
    "warn_after_seconds",
    "failures_before_critical",
    "successes_before_passing",
    "status",
    "is_suspect",
)


@dataclass(frozen=True, kw_only=True)
class Due:
    """One probe that this process has claimed; to be made at `due_at`."""

    instance_id: int
    service: str
    instance: str
    kind: str
    url: str
    interval_seconds: float
    timeout_seconds: float
    warn_after_seconds: float | None
    thresholds: Thresholds
    health: Health
    # What everybody is told of the instance.
    status: str
    is_suspect: bool
    passed_at: float | None
    due_at: float
    lease_until: float


def claim(*, now: float, limit: int, ahead: float = 0.0) -> list[Due]:
    """Take up to `limit` probes that are due within `ahead` seconds, those that wait longest first."""
    skip_locked = "FOR UPDATE SKIP LOCKED" if connection.features.has_select_for_update_skip_locked else ""
    chosen = f"""
        SELECT instance_id FROM registry_heartbeat
        WHERE due_at <= %s AND lease_until <= %s ORDER BY due_at LIMIT %s {skip_locked}
    """  # noqa: S608 -- the only thing put in is a constant of ours
    return _claim(chosen, [now + ahead, now, limit], starts_by=now + ahead)


def claim_now(instance_ids: Iterable[int], *, now: float) -> list[Due]:
    """Take these, whether or not they are due, but for those that somebody holds already."""
    remaining = iter(instance_ids)
    found: list[Due] = []
    while ids := list(islice(remaining, IDS_PER_STATEMENT)):
        skip_locked = "FOR UPDATE SKIP LOCKED" if connection.features.has_select_for_update_skip_locked else ""
        chosen = f"""
            SELECT instance_id FROM registry_heartbeat
            WHERE instance_id IN ({", ".join(["%s"] * len(ids))}) AND lease_until <= %s {skip_locked}
        """  # noqa: S608 -- what is put in are constants and placeholders
        found += _claim(chosen, [*ids, now], starts_by=now)
    return found


def due_of(heartbeat: Heartbeat) -> Due:
    """The claim of somebody who has locked the row."""
    return _due([getattr(heartbeat, name) for name in _HEARTBEAT], [getattr(heartbeat.instance, n) for n in _INSTANCE])


def _claim(chosen: str, parameters: Sequence[float], *, starts_by: float) -> list[Due]:
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            UPDATE registry_heartbeat
            SET lease_until = %s + (SELECT timeout_seconds FROM registry_instance WHERE id = instance_id)
            WHERE instance_id IN ({chosen}) RETURNING {", ".join(_HEARTBEAT)}
            """,  # noqa: S608 -- what is put in are constants and placeholders
            [starts_by + LEASE_MARGIN_SECONDS, *parameters],
        )
        claimed = cursor.fetchall()
    # By a second statement, because SQLite returns only columns of the table that is updated.
    instances = Instance.objects.filter(pk__in=[row[0] for row in claimed]).values_list("pk", *_INSTANCE)
    declared = {row[0]: row[1:] for row in instances}
    return [_due(row, declared[row[0]]) for row in claimed if row[0] in declared]


def _due(heartbeat: Sequence[Any], instance: Sequence[Any]) -> Due:
    instance_id, due_at, lease_until, verdict, failures, successes, penalty, penalty_at, is_damped, passed_at = (
        heartbeat
    )
    service, name, kind, url, interval, timeout, warn_after, failures_before, successes_before, status, is_suspect = (
        instance
    )
    return Due(
        instance_id=instance_id,
        service=service,
        instance=name,
        kind=kind,
        url=url,
        interval_seconds=interval,
        timeout_seconds=timeout,
        warn_after_seconds=warn_after,
        thresholds=Thresholds(failures_before_critical=failures_before, successes_before_passing=successes_before),
        health=Health(
            verdict=verdict,
            failures=failures,
            successes=successes,
            penalty=penalty,
            penalty_at=penalty_at,
            # SQLite has no booleans.
            is_damped=bool(is_damped),
        ),
        status=status,
        is_suspect=is_suspect,
        passed_at=passed_at,
        due_at=due_at,
        lease_until=lease_until,
    )
