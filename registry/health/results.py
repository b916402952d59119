"""Judges the results of probes and beats: each instance's health, its status and the journal."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction

from config.problems import Problem
from registry import wakeups
from registry.database import bulk, retry, rows
from registry.errors import BeatsByItself, UnknownInstance
from registry.health import leases, probe_counts, protection
from registry.health.probe import Due, Finding, Health, Result
from registry.health.rises import Rises
from registry.health.verdict import judge
from registry.instances.allowance import Allowance
from registry.journal import log
from registry.models import GOOD, Change, Heartbeat, HeartbeatKind, Instance, InstanceKey, Status
from registry.wire import bodies
from registry.wire.plain_text import escaped

# A probe comes up to this share of its interval early, so that what was registered together is not probed so; never
# late, so that what hangs is critical after (interval + timeout) * failures at the latest.
JITTER = 0.05
# The least share after which what is crowded is probed again.
SPREAD_FROM = 0.1
AUTHOR = "heartbeat"


@dataclass(frozen=True, kw_only=True)
class Judged:
    """A result, and the health that follows from it."""

    result: Result
    health: Health

    @property
    def due(self) -> Due:
        return self.result.due

    @property
    def is_fall(self) -> bool:
        """Whether an instance that is offered is about to become critical."""
        return self.due.status in GOOD and self.health.status == Status.CRITICAL

    @property
    def is_rise(self) -> bool:
        """Whether its status is about to change to another one than critical, without which it cannot fall again."""
        return self.health.status not in (self.due.status, Status.CRITICAL)

    @property
    def is_change(self) -> bool:
        is_news = self.health.status != self.due.status or bool(self.due.is_suspect)
        return is_news or self.begins_to_be_held or bool(self.result.chosen_kind)

    @property
    def begins_to_be_held(self) -> bool:
        """Whether it changes too often from now on: critical whatever its probes find, which its reason has to say."""
        return self.health.is_damped and not self.due.is_damped

    @property
    def reason(self) -> str:
        if self.begins_to_be_held:
            return f"changes too often: held critical until it has been steady; last: {self.result.detail}"[:500]
        return self.result.detail[:500]


@dataclass(frozen=True, kw_only=True)
class StatusChange:
    """A status change to store and announce."""

    due: Due
    status: str
    reason: str
    is_suspect: bool = False
    chosen_kind: str = ""


@dataclass(frozen=True, kw_only=True)
class Beat:
    """A beat: what an instance says of itself."""

    key: InstanceKey
    succeeded: bool
    reason: str
    author: str
    allowance: Allowance | None = None


@retry.retried
def record(
    results: Sequence[Result], *, is_cut_off: bool = False, rises: Rises | None = None, now: datetime
) -> list[Result]:
    """Write the health that follows from results, in one statement except for instances whose status changes.

    Returns those that count. A result is dropped when its claim is no longer held: its lease ran out, or the instance
    was updated or deregistered meanwhile. `is_cut_off` says that our own network is down: what
    falls is then only suspect. `rises` limits what rises; what has to wait stays as it is published.
    """
    judged = [_judged(result, now=now) for result in results]
    turned = [each for each in judged if each.is_change]
    if rises is not None:
        waiting = rises.put_off([each.due for each in turned if each.is_rise])
        turned = [each for each in turned if each.due.instance_id not in waiting]
    # Before the heartbeats, in the order in which registrations lock them, which prevents deadlocks.
    if any(each.is_fall for each in turned):
        protection.lock()
    if turned and connection.vendor == "postgresql":
        _locked([each.due.instance_id for each in turned])
    held = bulk.write_heartbeats([_row(each, now=now) for each in judged])
    changed = [each for each in turned if each.due.instance_id in held]
    falls = [each.result for each in changed if each.is_fall]
    kept = protection.hold_back(falls, is_cut_off=is_cut_off, now=now) if falls else {}
    _announce(_decided(changed, kept), now=now)
    return [each.result for each in judged if each.due.instance_id in held]


@retry.retried
def beat(key: InstanceKey, *, succeeded: bool, reason: str, author: str, now: datetime) -> None:
    """Judge a beat sent by the instance itself. Raises UnknownInstance."""
    (outcome,) = take_beats([Beat(key=key, succeeded=succeeded, reason=reason, author=author)], now=now)
    if isinstance(outcome, Problem):
        raise outcome


def take_beats(beats: Sequence[Beat], *, now: datetime) -> list[int | Problem]:
    """Judge beats of as many instances, in the caller's transaction; returns the revision after each.

    One that makes an instance other than critical counts as a change of its token's; it was critical before.
    """
    found = leases.beating([each.key for each in beats])
    judged = []
    refused: dict[int, Problem] = {}
    for each in beats:
        due = found.get(each.key)
        if due is None:
            continue
        detail = escaped(each.reason) or ("beat" if each.succeeded else f"{each.author} reported it critical")
        if not each.succeeded:
            # Its own report is conclusive: no further failures are waited for.
            due = due._replace(failures_before_critical=1)
        finding = Finding.SUCCESS if each.succeeded else Finding.FAILURE
        beaten = _judged(Result(due=due, finding=finding, detail=detail, latency_ms=None), now=now)
        if beaten.is_rise and each.allowance and (problem := each.allowance.spend(1)):
            refused[id(each)] = problem
        else:
            judged.append(beaten)
    bulk.write_heartbeats([_row(each, now=now) for each in judged])
    probe_counts.record([each.result for each in judged], now=now.timestamp())
    _announce(_decided([each for each in judged if each.is_change], {}), now=now)
    revision = log.head()
    return [
        refused.get(id(each))
        or (revision if each.key in found else UnknownInstance(each.key.service, each.key.instance))
        for each in beats
    ]


def hurry(instances: Sequence[Instance], *, now: datetime) -> int:
    """Probe these instances at once; returns how many are not being probed already.

    Instances that beat by themselves are left out, as being due would count as a missed beat. Raises BeatsByItself
    where no other is among them.
    """
    probed = [instance.pk for instance in instances if instance.heartbeat_kind != HeartbeatKind.TTL]
    if not probed:
        raise BeatsByItself(instances[0].service, instances[0].name)
    waiting = Heartbeat.objects.filter(leases.free(now=now.timestamp()), pk__in=probed)
    count = waiting.update(due_at=now.timestamp())
    transaction.on_commit(wakeups.wake_heartbeats)
    return count


def _judged(result: Result, *, now: datetime) -> Judged:
    due = result.due
    health = judge(due.health, result.finding, thresholds=due.thresholds, now=now.timestamp())
    return Judged(result=result, health=health)


def _decided(changed: Sequence[Judged], kept: Mapping[int, str]) -> dict[int, StatusChange]:
    """The status changes by instance; an instance that protection keeps stays as it is and becomes suspect."""
    changes = {}
    for each in changed:
        due, why = each.due, kept.get(each.due.instance_id)
        if why is None:
            changes[due.instance_id] = StatusChange(
                due=due, status=each.health.status, reason=each.reason, chosen_kind=each.result.chosen_kind
            )
        elif not due.is_suspect:
            reason = f"{each.result.detail}; kept because {why}"[:500]
            changes[due.instance_id] = StatusChange(due=due, status=due.status, reason=reason, is_suspect=True)
    return changes


def _announce(changes: Mapping[int, StatusChange], *, now: datetime) -> None:
    """Store and journal the changes, except of instances that another writer has changed or removed since."""
    drafts = []
    for instance in _locked(list(changes)) if changes else ():
        change = changes[instance.pk]
        if (instance.status, instance.is_suspect) != (change.due.status, change.due.is_suspect):
            continue
        before = bodies.offer_digest(instance)
        is_turn = instance.status != change.status or instance.is_suspect != change.is_suspect
        # Without a turn it is the choice of its heartbeat's kind that is news, or that it is held.
        changed = Change(change.status) if is_turn else Change.CHANGED
        kind = Change.SUSPECT if change.is_suspect else changed
        if instance.status != change.status:
            instance.status_since = now
        if change.chosen_kind:
            instance.heartbeat_kind = change.chosen_kind
        instance.status, instance.is_suspect, instance.status_reason = change.status, change.is_suspect, change.reason
        drafts.append(log.Draft(change=kind, instance=instance, before=before, author=AUTHOR, reason=change.reason))
    if drafts:
        bulk.write_statuses([draft.instance for draft in drafts])
        log.append(drafts, now=now)


def _locked(ids: Sequence[int]) -> list[Instance]:
    """The instances that still exist, locked until the transaction ends, as on SQLite all are from its beginning."""
    among, parameter = rows.among("id", ids)
    return list(rows.instances(among, [parameter], order="id", locked=True))


def _row(judged: Judged, *, now: datetime) -> bulk.HeartbeatRow:
    due, result, health, at = judged.due, judged.result, judged.health, now.timestamp()
    return bulk.HeartbeatRow(
        instance_id=due.instance_id,
        claimed_lease_until=due.lease_until,
        due_at=_next_due(due, at),
        verdict=health.verdict,
        penalty=health.penalty,
        penalty_at=health.penalty_at,
        is_damped=health.is_damped,
        failures=health.failures,
        successes=health.successes,
        last_at=at,
        passed_at=at if result.finding in (Finding.SUCCESS, Finding.WARNING) else due.passed_at,
        latency_ms=result.latency_ms,
        detail=result.detail[:300],
    )


def _next_due(due: Due, now: float) -> float:
    """The time of the next probe. The deadline of a ttl instance is exact.

    Counted from when the probe was due, since a slow answer, or the time until it is written, makes no interval longer.
    A first probe, or one long overdue, is so together with many others: the next one is spread over the interval.
    """
    interval = due.interval_seconds
    if due.kind == HeartbeatKind.TTL:
        return now + interval
    if due.status == Status.STARTING or now - due.due_at > interval:
        return now + interval * random.uniform(SPREAD_FROM, 1.0)
    return min(due.due_at, now) + interval * random.uniform(1 - JITTER, 1.0)
