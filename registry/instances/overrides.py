"""An operator's overrides of what heartbeats say: maintenance and draining. Both end by themselves."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db import connection, transaction
from django.db.models import Q

from config.problems import Invalid, Problem
from registry.database import bulk, retry, rows, statements
from registry.database.retry import Overtaken
from registry.errors import UnknownInstance
from registry.instances.allowance import Allowance
from registry.journal import log
from registry.models import Change, Instance, InstanceKey, Maintenance
from registry.wire import bodies

EXPIRED = "its time is over"


@dataclass(frozen=True, kw_only=True)
class Order:
    """An operator's word over an instance, or with an empty instance over all of a service."""

    key: InstanceKey
    author: str
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class MaintenanceOrder(Order):
    until: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class DrainOrder(Order):
    seconds: float
    allowance: Allowance | None = None


@retry.retried
def begin_maintenance(
    service: str, instance: str = "", *, until: datetime | None, reason: str, author: str, now: datetime
) -> Maintenance:
    """Stop offering an instance, or without `instance` a whole service, including those that register later.

    It holds through heartbeats, restarts and registrations until `until`, or until it is ended. Raises Invalid.
    """
    key = InstanceKey(service=service, instance=instance)
    (begun,) = begin_all([MaintenanceOrder(key=key, until=until, reason=reason, author=author)], now=now)
    if isinstance(begun, Problem):
        raise begun
    return begun


def begin_all(orders: Sequence[MaintenanceOrder], *, now: datetime) -> list[Maintenance | Problem]:
    """Begin maintenance for each, each of another key, in the caller's transaction and a handful of statements."""
    outcomes = [_wanted(order, now=now) for order in orders]
    Maintenance.objects.bulk_create(
        [wanted for wanted in outcomes if isinstance(wanted, Maintenance)],
        update_conflicts=True,
        unique_fields=["service", "instance"],
        update_fields=["until", "reason", "author", "since"],
    )
    _apply(
        [order for order, outcome in zip(orders, outcomes, strict=True) if isinstance(outcome, Maintenance)], now=now
    )
    return outcomes


@retry.retried
def end_maintenance(
    service: str, instance: str = "", *, reason: str = "", author: str, now: datetime, still: Q | None = None
) -> bool:
    """End maintenance; False when there was none, or none that is `still` so."""
    removed, _ = Maintenance.objects.filter(still or Q(), service=service, instance=instance).delete()
    if removed:
        key = InstanceKey(service=service, instance=instance)
        _apply([Order(key=key, reason=reason, author=author)], now=now)
    return bool(removed)


def end_all(orders: Sequence[Order], *, now: datetime) -> list[bool]:
    """End maintenance for each, each of another key, in the caller's transaction and a handful of statements."""
    named, parameters = rows.among_pairs(
        "(service, instance)", [(each.key.service, each.key.instance) for each in orders]
    )
    ended = set(
        statements.fetch(f"DELETE FROM registry_maintenance WHERE {named} RETURNING service, instance", parameters)  # noqa: S608 -- constants
    )
    outcomes = [(each.key.service, each.key.instance) in ended for each in orders]
    _apply([order for order, was_there in zip(orders, outcomes, strict=True) if was_there], now=now)
    return outcomes


@transaction.atomic
def drain(key: InstanceKey, *, seconds: float, reason: str, author: str, now: datetime) -> Instance:
    """Stop offering an instance that still serves; it is deregistered after `seconds`. Raises UnknownInstance."""
    (drained,) = drain_all([DrainOrder(key=key, seconds=seconds, reason=reason, author=author)], now=now)
    if isinstance(drained, Problem):
        raise drained
    return drained


def drain_all(orders: Sequence[DrainOrder], *, now: datetime) -> list[Instance | Problem]:
    """Drain each, in the caller's transaction and a handful of statements."""
    named = rows.named([(order.key.service, order.key.instance) for order in orders], locked=True, order="id")
    found = {InstanceKey(service=each.service, instance=each.name): each for each in named}
    drafts = []
    refused: dict[int, Problem] = {}
    for order in orders:
        if (instance := found.get(order.key)) is None:
            continue
        if order.allowance and (problem := order.allowance.spend(1)):
            refused[id(order)] = problem
            continue
        before = bodies.offer_digest(instance)
        instance.draining_until = now + timedelta(seconds=order.seconds)
        if not instance.is_in_maintenance:
            instance.overridden_since, instance.override_reason = now, order.reason
        draft = log.Draft(
            change=Change.DRAINING, instance=instance, before=before, author=order.author, reason=order.reason
        )
        drafts.append(draft)
    if drafts:
        bulk.write_instances(
            [draft.instance for draft in drafts], ["draining_until", "overridden_since", "override_reason"]
        )
        log.append(drafts, now=now)
    return [
        refused.get(id(order)) or found.get(order.key) or UnknownInstance(order.key.service, order.key.instance)
        for order in orders
    ]


def _wanted(order: MaintenanceOrder, *, now: datetime) -> Maintenance | Problem:
    """The maintenance that is wanted, not stored, or why it cannot be."""
    try:
        # In UTC, as PostgreSQL takes no offset of 16 hours and more.
        until = None if order.until is None else order.until.astimezone(UTC)
    except OverflowError:
        return Invalid("`until` cannot be stored: give a time within these centuries.")
    if until is not None and until <= now:
        return Invalid(f"`until` is over already, for it is {now:%Y-%m-%dT%H:%M:%SZ}: give a time to come.")
    return Maintenance(
        service=order.key.service,
        instance=order.key.instance,
        until=until,
        reason=order.reason,
        author=order.author,
        since=now,
    )


def held(*, now: datetime) -> dict[tuple[str, str], str]:
    """The reasons of all maintenance now, by service and instance; empty for a whole service."""
    # By SQL: each group of registrations asks, and the ORM takes a tenth of the group's time to compile it.
    found = statements.fetch(
        "SELECT service, instance, reason FROM registry_maintenance WHERE until IS NULL OR until > %s",
        [connection.ops.adapt_datetimefield_value(now)],
    )
    return {(service, instance): reason for service, instance, reason in found}


def reason_of(service: str, instance: str, held: Mapping[tuple[str, str], str]) -> str | None:
    """The reason why the instance is in maintenance; None when it is not."""
    return held.get((service, instance), held.get((service, "")))


def expire(*, now: datetime) -> int:
    """End maintenance whose time is over; returns how many ended."""
    found = statements.fetch(
        "SELECT service, instance, author FROM registry_maintenance WHERE until <= %s",
        [connection.ops.adapt_datetimefield_value(now)],
    )
    # Repeated on purpose: an operator may have prolonged one since it was found.
    is_over = Q(until__lte=now)
    return sum(
        end_maintenance(service, instance, reason=EXPIRED, author=author, now=now, still=is_over)
        for service, instance, author in found
    )


def is_drained(instance: Instance, *, now: datetime) -> bool:
    return instance.draining_until is not None and instance.draining_until <= now


def drained(*, now: datetime) -> list[InstanceKey]:
    """The instances whose time to drain is over."""
    found = statements.fetch(
        "SELECT service, name FROM registry_instance WHERE draining_until <= %s",
        [connection.ops.adapt_datetimefield_value(now)],
    )
    return [InstanceKey(service=service, instance=name) for service, name in found]


def _apply(orders: Sequence[Order], *, now: datetime) -> None:
    """Bring the mark of each instance that is named in line with current maintenance, and journal the changes.

    Raises Overtaken when other maintenance has begun or ended since, or an instance was registered with a mark that is
    no longer right.
    """
    if not orders:
        return
    by_name = {(order.key.service, order.key.instance): order for order in orders}
    holding = held(now=now)
    affected, parameters = rows.named_or_of(by_name)
    drafts = []
    for each in rows.instances(affected, parameters, order="id", locked=True):
        why = reason_of(each.service, each.name, holding)
        begins_or_ends = each.is_in_maintenance != (why is not None)
        if not begins_or_ends and why in (None, each.override_reason):
            continue
        order = by_name.get((each.service, each.name)) or by_name[each.service, ""]
        before = bodies.offer_digest(each)
        if begins_or_ends:
            each.is_in_maintenance, each.overridden_since = why is not None, now
        each.override_reason = why or ""
        change = Change.MAINTENANCE if each.is_in_maintenance else Change.MAINTENANCE_ENDED
        said = order.reason if why is None else why
        drafts.append(log.Draft(change=change, instance=each, before=before, author=order.author, reason=said))
    if drafts:
        marks = ["is_in_maintenance", "overridden_since", "override_reason"]
        bulk.write_instances([draft.instance for draft in drafts], marks)
        log.append(drafts, now=now)
    else:
        log.locked_head()
    # The head is locked, so nobody else changes this now; another writer may have done so before.
    if held(now=now) != holding:
        raise Overtaken
    marked = f"SELECT service, name, is_in_maintenance FROM registry_instance WHERE {affected}"  # noqa: S608 -- constants
    if any(
        mark != (reason_of(of, name, holding) is not None) for of, name, mark in statements.fetch(marked, parameters)
    ):
        raise Overtaken
