"""Calling the roll: what the results of probes, and of beats, make of the instances."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from django.db import transaction

from registry import wakeups
from registry.database import bulk, retry
from registry.errors import UnknownInstance
from registry.health import leases, probe_counts, protection
from registry.health.leases import Due
from registry.health.verdict import Finding, Health, judge
from registry.journal import log
from registry.models import GOOD, Change, Heartbeat, HeartbeatKind, Instance, InstanceKey, Status
from registry.wire import bodies

# A probe comes up to this share of its interval early, so that what was registered together is not probed so; never
# late, so that what hangs is critical after (interval + timeout) * failures at the latest.
JITTER = 0.05
# The least share after which what is crowded is probed again.
SPREAD_FROM = 0.1
AUTHOR = "heartbeat"


class Result(NamedTuple):
    """What came of a probe; `detail` is a sentence for people and never counts as a change."""

    due: Due
    finding: Finding
    detail: str
    latency_ms: float | None


@retry.retried
def record(results: Sequence[Result], *, is_cut_off: bool = False, now: datetime) -> int:
    """Write results as verdicts, in one statement but for the instances whose status changes.

    Returns how many instances changed. A result whose claim is no longer held, because the lease ran out, the
    instance was updated or deregistered meanwhile, is dropped. `is_cut_off` says that our own network is down: what
    falls is then only suspect.
    """
    at = now.timestamp()
    judged = [(result, _judged(result, at)) for result in results]
    turned = [(each, health) for each, health in judged if health.status != each.due.status or each.due.is_suspect]
    _lock(turned)
    held = bulk.write_heartbeats([_row(result, health, at) for result, health in judged])
    changes = [(result, health) for result, health in turned if result.due.instance_id in held]
    return _settle(changes, is_cut_off=is_cut_off, now=now)


@retry.retried
def beat(key: InstanceKey, *, succeeded: bool, reason: str, author: str, now: datetime) -> None:
    """A beat that the instance itself sends. Raises UnknownInstance."""
    instance = (
        Instance.objects.select_for_update()
        .select_related("heartbeat")
        .filter(service=key.service, name=key.instance, heartbeat__isnull=False)
        .first()
    )
    if instance is None:
        raise UnknownInstance(key.service, key.instance)
    due = leases.due_of(instance.heartbeat)
    detail = reason or ("beat" if succeeded else f"{author} reported it critical")
    finding = Finding.SUCCESS if succeeded else Finding.FAILURE
    if not succeeded:
        # Its own word is conclusive: no further failures are waited for.
        due = due._replace(failures_before_critical=1)
    result = Result(due=due, finding=finding, detail=detail, latency_ms=None)
    health = _judged(result, now.timestamp())
    bulk.write_heartbeats([_row(result, health, now.timestamp())])
    probe_counts.record([result], now=now.timestamp())
    if health.status == due.status and not due.is_suspect:
        return
    drafts = _apply(
        {due.instance_id: _Change(result=result, status=health.status, reason=_reason(result, health))}, now
    )
    _tell(drafts, now=now)


def hurry(instances: Sequence[int], *, now: datetime) -> int:
    """Have these instances, by id, probed at once; returns how many are not being probed already."""
    waiting = Heartbeat.objects.filter(pk__in=instances, lease_until__lte=now.timestamp())
    count = waiting.update(due_at=now.timestamp())
    transaction.on_commit(wakeups.wake_heartbeats)
    return count


def _lock(turned: Sequence[tuple[Result, Health]]) -> None:
    """Before the heartbeats, as whoever registers or deregisters an instance does: neither waits for the other."""
    if any(_is_fall(result.due, health) for result, health in turned):
        protection.lock()
    if turned:
        ids = [result.due.instance_id for result, _ in turned]
        list(Instance.objects.select_for_update().filter(pk__in=ids).order_by("pk").values_list("pk"))


def _judged(result: Result, now: float) -> Health:
    return judge(result.due.health, result.finding, thresholds=result.due.thresholds, now=now)


@dataclass(frozen=True, kw_only=True)
class _Change:
    """What is to become of what is told of an instance."""

    result: Result
    status: str
    reason: str
    is_suspect: bool = False


def _settle(changes: Sequence[tuple[Result, Health]], *, is_cut_off: bool, now: datetime) -> int:
    """Tell what has changed, but hold back the falls that are probably our own fault; returns how many changed."""
    falls = [result.due for result, health in changes if _is_fall(result.due, health)]
    why = protection.hold_back(falls, is_cut_off=is_cut_off, now=now) if falls else {}
    told = {
        result.due.instance_id: _decided(result, health, why.get(result.due.instance_id))
        for result, health in changes
        if not (result.due.is_suspect and result.due.instance_id in why)
    }
    drafts = _apply(told, now)
    _tell(drafts, now=now)
    return len(drafts)


def _is_fall(due: Due, health: Health) -> bool:
    return due.status in GOOD and health.status == Status.CRITICAL


def _decided(result: Result, health: Health, why: str | None) -> _Change:
    if why is None:
        return _Change(result=result, status=health.status, reason=_reason(result, health))
    reason = f"{result.detail}; kept because {why}"[:500]
    return _Change(result=result, status=result.due.status, reason=reason, is_suspect=True)


def _apply(changes: Mapping[int, _Change], now: datetime) -> list[log.Draft]:
    """Change the instances, but for those that somebody else has changed or removed since the claim."""
    found = Instance.objects.select_for_update().filter(pk__in=list(changes)).order_by("pk") if changes else ()
    drafts = []
    for instance in found:
        change = changes[instance.pk]
        if (instance.status, instance.is_suspect) != (change.result.due.status, change.result.due.is_suspect):
            continue
        before = bodies.offer_digest(instance)
        if instance.status != change.status:
            instance.status_since = now
        instance.status, instance.is_suspect, instance.status_reason = change.status, change.is_suspect, change.reason
        kind = Change.SUSPECT if change.is_suspect else Change(change.status)
        drafts.append(log.Draft(change=kind, instance=instance, before=before, author=AUTHOR, reason=change.reason))
    bulk.write_statuses([draft.instance for draft in drafts])
    return drafts


def _tell(drafts: Sequence[log.Draft], *, now: datetime) -> None:
    if drafts:
        log.append(drafts, now=now)


def _reason(result: Result, health: Health) -> str:
    if health.is_damped and not result.due.is_damped:
        return f"changes too often: held critical until it has been steady; last: {result.detail}"[:500]
    return result.detail[:500]


def _row(result: Result, health: Health, now: float) -> bulk.HeartbeatRow:
    due = result.due
    return bulk.HeartbeatRow(
        instance_id=due.instance_id,
        claimed_lease_until=due.lease_until,
        due_at=_next_due(due, now),
        verdict=health.verdict,
        penalty=health.penalty,
        penalty_at=health.penalty_at,
        is_damped=health.is_damped,
        failures=health.failures,
        successes=health.successes,
        last_at=now,
        passed_at=now if result.finding in (Finding.SUCCESS, Finding.WARNING) else due.passed_at,
        latency_ms=result.latency_ms,
        detail=result.detail[:300],
    )


def _next_due(due: Due, now: float) -> float:
    """When it is to be probed again. A ttl instance's deadline is exact.

    Counted from when the probe was due, since a slow answer, or the time until it is written, makes no interval longer.
    What is probed for the first time, or was long overdue, is so together with many others: it is spread over the
    interval.
    """
    interval = due.interval_seconds
    if due.kind == HeartbeatKind.TTL:
        return now + interval
    if due.status == Status.STARTING or now - due.due_at > interval:
        return now + interval * random.uniform(SPREAD_FROM, 1.0)
    return min(due.due_at, now) + interval * random.uniform(1 - JITTER, 1.0)
