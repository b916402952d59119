"""Registering, updating and deregistering."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction

from config.problems import Problem
from registry import catalogue, journal, overrides, representation, wakeups
from registry.declaration import Declaration, Target
from registry.errors import Deregistered, NamedTwice
from registry.models import Change, Cursor, Heartbeat, Instance, Requirement, Status, Tombstone

# The members of an instance that a declaration sets, and that a new heartbeat must judge anew.
_PROBED = ("heartbeat_kind", "heartbeat_url", "interval_seconds", "timeout_seconds", "warn_after_seconds")

_CURSOR_COLUMNS = [field.name for field in Cursor._meta.concrete_fields if not field.primary_key]
# How long webhooks are signed with the old secret too after a client has given a new one.
ROTATION_OVERLAP = timedelta(hours=24)


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One instance's registration or update, and whose token it came with."""

    target: Target
    declared: Declaration
    author: str


@dataclass(frozen=True, kw_only=True)
class Registered:
    """The answer to a registration: the instance as stored, and what it requires as it stands at `revision`."""

    instance: Instance
    revision: int
    providers: dict[str, list[Instance]]
    is_new: bool


def register(target: Target, declared: Declaration, *, author: str, now: datetime) -> Registered:
    """Register an instance, or update it; the same declaration again changes and journals nothing.

    The dependent's cursor moves to the answer's revision: the answer tells it everything up to then. Raises
    Deregistered for a run that was deregistered.
    """
    (outcome,) = register_many([Entry(target=target, declared=declared, author=author)], now=now)
    if isinstance(outcome, Problem):
        raise outcome
    return outcome


def register_many(entries: Sequence[Entry], *, now: datetime) -> list[Registered | Problem]:
    """As `register`, in one transaction and a handful of statements; what is refused hinders none of the others."""
    try:
        return _register_many(entries, now=now)
    except IntegrityError:
        # Another process registered one of them between our look and our write: this one is its update.
        return _register_many(entries, now=now)


@transaction.atomic
def deregister(
    target: Target,
    *,
    author: str,
    reason: str = "",
    incarnation: str | None = None,
    is_final: bool = True,
    now: datetime,
) -> bool:
    """Remove an instance; False when it was not there. Its dependents are told.

    With an incarnation only that run is removed: a process that stops late does not take its successor's registration
    away. Unless `is_final` is False, the run that was removed cannot register again.
    """
    instance = _locked(target)
    run = incarnation or (instance.incarnation if instance else "")
    if is_final and run:
        Tombstone.objects.update_or_create(
            service=target.service, instance=target.instance, incarnation=run, defaults={"at": now}
        )
    if instance is None or (incarnation is not None and instance.incarnation != incarnation):
        return False
    before = representation.offer_digest(instance)
    instance.delete()
    draft = journal.Draft(change=Change.DEREGISTERED, instance=instance, before=before, author=author, reason=reason)
    journal.append([draft], now=now)
    transaction.on_commit(wakeups.wake_notifications)
    return True


@transaction.atomic
def _register_many(entries: Sequence[Entry], *, now: datetime) -> list[Registered | Problem]:
    refused = _refused(entries)
    accepted = [entry for entry in entries if id(entry) not in refused]
    known = _locked_many([entry.target for entry in accepted])
    stored = {id(entry): known.get(entry.target) or _drafted(entry, now=now) for entry in accepted}
    created = [stored[id(entry)] for entry in accepted if entry.target not in known]
    drafts = [*_create(created, now=now), *_update(known, accepted, now=now)]
    revision = journal.append(drafts, now=now) if drafts else journal.locked_head()
    _point_cursors(stored.values(), is_known=bool(known), revision=revision)
    offered = catalogue.offered({service for instance in stored.values() for service in instance.requires})
    return [
        refused.get(id(entry))
        or _registered(stored[id(entry)], offered, revision=revision, is_new=entry.target not in known)
        for entry in entries
    ]


def _registered(instance: Instance, offered: dict[str, list[Instance]], *, revision: int, is_new: bool) -> Registered:
    providers = {service: offered[service] for service in instance.requires}
    return Registered(instance=instance, revision=revision, providers=providers, is_new=is_new)


def _refused(entries: Sequence[Entry]) -> dict[int, Problem]:
    """By the entry's identity: runs that were deregistered, and the later of two entries for one instance."""
    runs = {entry.declared.incarnation for entry in entries if entry.declared.incarnation}
    buried = set(
        Tombstone.objects.filter(incarnation__in=runs).values_list("service", "instance", "incarnation") if runs else ()
    )
    refused: dict[int, Problem] = {}
    seen: set[Target] = set()
    for entry in entries:
        target = entry.target
        if (target.service, target.instance, entry.declared.incarnation) in buried:
            refused[id(entry)] = Deregistered(target.service, target.instance)
        elif target in seen:
            refused[id(entry)] = NamedTwice(target.service, target.instance)
        seen.add(target)
    return refused


def _locked(target: Target) -> Instance | None:
    return Instance.objects.select_for_update().filter(service=target.service, name=target.instance).first()


def _locked_many(targets: Sequence[Target]) -> dict[Target, Instance]:
    wanted = set(targets)
    found: dict[Target, Instance] = {}
    for service, names in _by_service(targets).items():
        # In one order everywhere, so that two batches do not wait for each other.
        for instance in Instance.objects.select_for_update().filter(service=service, name__in=names).order_by("pk"):
            target = Target(service=service, instance=instance.name)
            if target in wanted:
                found[target] = instance
    return found


def _by_service(targets: Sequence[Target]) -> dict[str, list[str]]:
    names: defaultdict[str, list[str]] = defaultdict(list)
    for target in sorted(targets, key=lambda target: target.service):
        names[target.service].append(target.instance)
    return names


def _drafted(entry: Entry, *, now: datetime) -> Instance:
    return Instance(
        service=entry.target.service,
        name=entry.target.instance,
        status=Status.STARTING,
        status_since=now,
        status_reason="registered, not probed yet",
        registered_at=now,
        registered_by=entry.author,
        revision=0,
        incarnation=entry.declared.incarnation,
        **_columns(entry.declared),
    )


def _create(instances: Sequence[Instance], *, now: datetime) -> list[journal.Draft]:
    if not instances:
        return []
    held = overrides.held(now=now)
    for instance in instances:
        instance.is_in_maintenance = not held.isdisjoint({(instance.service, ""), (instance.service, instance.name)})
    Instance.objects.bulk_create(instances)
    _require(instances)
    Heartbeat.objects.bulk_create(
        Heartbeat(instance=instance, due_at=_first_due(instance, now=now)) for instance in instances
    )
    transaction.on_commit(wakeups.wake_heartbeats)
    return [
        journal.Draft(change=Change.REGISTERED, instance=instance, before="", author=instance.registered_by)
        for instance in instances
    ]


def _update(known: dict[Target, Instance], entries: Sequence[Entry], *, now: datetime) -> list[journal.Draft]:
    drafts = []
    for entry in entries:
        instance = known.get(entry.target)
        draft = _changed(instance, entry, now=now) if instance is not None else None
        if draft is not None:
            drafts.append(draft)
    if drafts:
        transaction.on_commit(wakeups.wake_notifications)
    return drafts


def _changed(instance: Instance, entry: Entry, *, now: datetime) -> journal.Draft | None:
    if instance.incarnation != entry.declared.incarnation:
        instance.incarnation = entry.declared.incarnation
        instance.save(update_fields=["incarnation"])
        _probe_anew(instance, now=now)
    columns = _columns(entry.declared)
    changed = [name for name, value in columns.items() if getattr(instance, name) != value]
    if not changed:
        return None
    before = representation.offer_digest(instance)
    if "notify_secret" in changed and instance.notify_secret and columns["notify_secret"]:
        columns |= {"previous_notify_secret": instance.notify_secret, "previous_secret_until": now + ROTATION_OVERLAP}
    for name, value in columns.items():
        setattr(instance, name, value)
    instance.save(update_fields=list(columns))
    if "requires" in changed:
        instance.requirements.all().delete()
        _require([instance])
    if any(name in _PROBED for name in changed):
        _probe_anew(instance, now=now)
    reason = f"changed: {', '.join(changed)}"
    return journal.Draft(change=Change.CHANGED, instance=instance, before=before, author=entry.author, reason=reason)


def _probe_anew(instance: Instance, *, now: datetime) -> None:
    Heartbeat.objects.filter(instance=instance).update(
        due_at=_first_due(instance, now=now), lease_until=0, failures=0, successes=0
    )
    transaction.on_commit(wakeups.wake_heartbeats)


def _first_due(instance: Instance, *, now: datetime) -> float:
    """At once for what we probe; for an instance that beats by itself, when its first beat is late."""
    wait = instance.interval_seconds if instance.heartbeat_kind == "ttl" else 0.0
    return now.timestamp() + wait


def _require(instances: Iterable[Instance]) -> None:
    Requirement.objects.bulk_create(
        Requirement(instance=instance, service=service) for instance in instances for service in instance.requires
    )


def _point_cursors(instances: Iterable[Instance], *, is_known: bool, revision: int) -> None:
    told = [instance for instance in instances if instance.notify_url is not None]
    if is_known:
        Cursor.objects.filter(instance__in=[each for each in instances if each.notify_url is None]).delete()
    Cursor.objects.bulk_create(
        [Cursor(instance=each, notified_revision=revision, scanned_revision=revision) for each in told],
        update_conflicts=True,
        unique_fields=["instance"],
        # A delivery under way loses its claim: what it tells, this answer has told.
        update_fields=_CURSOR_COLUMNS,
    )


def _columns(declared: Declaration) -> dict[str, Any]:
    heartbeat = declared.heartbeat
    return {
        "url": declared.url.rstrip("/"),
        "requires": sorted(set(declared.requires)),
        "notify_url": declared.notify_url,
        "notify_secret": declared.notify_secret if declared.notify_url else None,
        "tags": sorted(set(declared.tags)),
        "zone": declared.zone,
        "version": declared.version,
        "weight": declared.weight,
        "metadata": declared.metadata,
        "heartbeat_kind": heartbeat.kind,
        "heartbeat_url": declared.heartbeat_url,
        "interval_seconds": heartbeat.interval_seconds,
        "timeout_seconds": heartbeat.timeout_seconds,
        "warn_after_seconds": heartbeat.warn_after_seconds,
        "failures_before_critical": heartbeat.failures_before_critical,
        "successes_before_passing": heartbeat.successes_before_passing,
        "deregister_after_seconds": heartbeat.deregister_after_seconds,
    }
