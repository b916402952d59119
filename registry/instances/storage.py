"""Stores registrations: new instances, and the changes to known ones, in a handful of statements."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any

from django.db import connection, transaction
from django.db.models import OuterRef, Subquery

from registry import wakeups
from registry.database import bulk, inserts
from registry.instances import overrides
from registry.instances.allowance import BYTES_OF_A_CHANGE, Allowance
from registry.journal import log
from registry.models import GOOD, Change, Cursor, Heartbeat, HeartbeatKind, Instance, InstanceKey, Requirement, Status
from registry.models.sealing import opened
from registry.wire import bodies
from registry.wire.declaration import Declaration

# A change to one of these restarts the heartbeat.
_PROBED = frozenset(
    ("incarnation", "heartbeat_kind", "heartbeat_url", "interval_seconds", "timeout_seconds", "warn_after_seconds")
)
# The columns that say where it is probed: earlier results say nothing about another address.
_ADDRESS = frozenset(("heartbeat_kind", "heartbeat_url"))
# How long webhooks are also signed with the old secret after a client has given a new one.
ROTATION_OVERLAP = timedelta(hours=24)

_PREVIOUS_SECRET = ("previous_notify_secret", "previous_secret_until")
_DEFAULTS = {field.attname: field.get_default() for field in Instance._meta.concrete_fields}
_NAMES = list(_DEFAULTS)
_CURSOR_COLUMNS = [field.name for field in Cursor._meta.concrete_fields if not field.primary_key]


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One instance's registration or update, the token it came with, and what that may change; None: anything."""

    key: InstanceKey
    declared: Declaration
    author: str
    allowance: Allowance | None = None

    @property
    def cost(self) -> int:
        """The changes as which it counts where it changes anything."""
        size = sum(len(name) + len(value) for name, value in self.declared.metadata.items())
        return 1 + size // BYTES_OF_A_CHANGE


@dataclass(frozen=True, kw_only=True)
class Changed:
    """A known instance with its new declaration, and the columns that changed."""

    entry: Entry
    instance: Instance
    columns: list[str]
    before: str

    @property
    def written(self) -> list[str]:
        """The columns to store: the secret that is replaced, too."""
        return [*self.columns, *(_PREVIOUS_SECRET if "notify_secret" in self.columns else ())]

    @property
    def told(self) -> list[str]:
        """The columns to journal: a restart of the process does not change what it declares."""
        return [name for name in self.columns if name not in ("incarnation", "overridden_since")]

    def draft(self) -> log.Draft:
        reason = f"changed: {', '.join(self.told)}"
        return log.Draft(
            change=Change.CHANGED, instance=self.instance, before=self.before, author=self.entry.author, reason=reason
        )


def draft(entries: Sequence[Entry], *, now: datetime) -> dict[InstanceKey, Instance]:
    """The new instances, with ids, not yet stored."""
    if not entries:
        return {}
    held = overrides.held(now=now)
    ids = inserts.new_ids(Instance, len(entries))
    return {entry.key: _drafted(number, entry, held, now=now) for number, entry in zip(ids, entries, strict=True)}


def announced(instance: Instance) -> log.Draft:
    return log.Draft(change=Change.REGISTERED, instance=instance, before="", author=instance.registered_by)


def insert(instances: Collection[Instance], *, revision: int, now: datetime) -> None:
    """Store drafted instances, their heartbeats and requirements, and cursors for those that take webhooks."""
    if not instances:
        return
    inserts.insert(Instance, _NAMES, map(attrgetter(*_NAMES), instances))
    first_due = {each.pk: _first_due(each, now=now) for each in instances}
    inserts.insert(Heartbeat, ("instance_id", "due_at"), first_due.items())
    _require(instances)
    inserts.insert(
        Cursor,
        ("instance_id", "notified_revision", "scanned_revision"),
        ((each.pk, revision, revision) for each in instances if each.notify_url is not None),
    )
    _call_prober(first_due.values(), now=now)


def changes(known: Mapping[InstanceKey, Instance], entries: Sequence[Entry], *, now: datetime) -> list[Changed]:
    """Set known instances to what is declared now, without storing it; returns those that this changes."""
    found = [_changed(known[entry.key], entry, now=now) for entry in entries if entry.key in known]
    return [change for change in found if change.columns]


def update(changes: Sequence[Changed], *, now: datetime) -> list[log.Draft]:
    """Store changes to known instances; returns those to journal."""
    by_columns: defaultdict[tuple[str, ...], list[Instance]] = defaultdict(list)
    for change in changes:
        by_columns[tuple(change.written)].append(change.instance)
    for columns, some in by_columns.items():
        bulk.write_instances(some, columns)
    if requiring := [change.instance for change in changes if "requires" in change.columns]:
        Requirement.objects.filter(instance__in=requiring).delete()
        _require(requiring)
    retargeted = [change.instance for change in changes if "notify_url" in change.columns]
    if silent := [instance for instance in retargeted if instance.notify_url is None]:
        Cursor.objects.filter(instance__in=silent).delete()
    _probe_anew([change.instance for change in changes if not _PROBED.isdisjoint(change.columns)], now=now)
    moved = [each.instance for each in changes if not _ADDRESS.isdisjoint(each.columns)]
    if offered := [instance for instance in moved if instance.status in GOOD]:
        # The first probe at the new address decides alone whether they go on being offered.
        failures = Subquery(Instance.objects.filter(pk=OuterRef("pk")).values("failures_before_critical")[:1])
        Heartbeat.objects.filter(instance__in=offered).update(failures=failures - 1)
    return [change.draft() for change in changes if change.told]


def point_cursors(known: Iterable[Instance], *, revision: int) -> None:
    """Move known dependents' cursors to the answer's revision; a delivery under way loses its claim."""
    pointed = [
        Cursor(instance=each, notified_revision=revision, scanned_revision=revision)
        for each in known
        if each.notify_url is not None
    ]
    if pointed:
        Cursor.objects.bulk_create(
            pointed, update_conflicts=True, unique_fields=["instance"], update_fields=_CURSOR_COLUMNS
        )


def _drafted(number: int, entry: Entry, held: Mapping[tuple[str, str], str], *, now: datetime) -> Instance:
    key = entry.key
    values = _DEFAULTS | _columns(entry.declared)
    maintenance = overrides.reason_of(key.service, key.instance, held)
    values |= {
        "id": number,
        "service": key.service,
        "name": key.instance,
        "incarnation": entry.declared.incarnation,
        "status": Status.STARTING.value,
        "status_since": now,
        "status_reason": "registered, not probed yet",
        "is_in_maintenance": maintenance is not None,
        "overridden_since": None if maintenance is None else now,
        "override_reason": maintenance or "",
        "registered_at": now,
        "registered_by": entry.author,
        "revision": 0,
    }
    return Instance.from_db(connection.alias, _NAMES, list(values.values()))


def _changed(instance: Instance, entry: Entry, *, now: datetime) -> Changed:
    """Set the instance's attributes to what is declared now."""
    before = bodies.offer_digest(instance)
    columns = {**_columns(entry.declared), "incarnation": entry.declared.incarnation}
    if instance.notify_secret is not None and opened(instance.notify_secret) == columns["notify_secret"]:
        columns["notify_secret"] = instance.notify_secret
    if instance.is_kind_chosen and columns["is_kind_chosen"] and instance.heartbeat_url == columns["heartbeat_url"]:
        columns["heartbeat_kind"] = instance.heartbeat_kind
    changed = [name for name, value in columns.items() if getattr(instance, name) != value]
    if "notify_secret" in changed and instance.notify_secret and columns["notify_secret"]:
        instance.previous_notify_secret = instance.notify_secret
        instance.previous_secret_until = now + ROTATION_OVERLAP
    if "incarnation" in changed and instance.draining_until is not None:
        # The earlier run was draining.
        columns["draining_until"] = None
        changed.append("draining_until")
    if "incarnation" in changed and instance.status == Status.CRITICAL and not instance.is_in_maintenance:
        # The time after which it is given up is this run's own.
        columns["overridden_since"] = now
        changed.append("overridden_since")
    for name in changed:
        setattr(instance, name, columns[name])
    return Changed(entry=entry, instance=instance, columns=changed, before=before)


def _probe_anew(instances: Iterable[Instance], *, now: datetime) -> None:
    by_due: defaultdict[float, list[Instance]] = defaultdict(list)
    for instance in instances:
        by_due[_first_due(instance, now=now)].append(instance)
    for due_at, some in by_due.items():
        Heartbeat.objects.filter(instance__in=some).update(due_at=due_at, lease_until=0, failures=0, successes=0)
    _call_prober(by_due, now=now)


def _call_prober(due_at: Iterable[float], *, now: datetime) -> None:
    """Have what is due now probed after the commit; what is due later, as a beat is, waits for beat's tick."""
    if any(at <= now.timestamp() for at in due_at):
        transaction.on_commit(wakeups.wake_heartbeats)


def _first_due(instance: Instance, *, now: datetime) -> float:
    """The time of the first probe: at once, or for a `ttl` instance when its first beat would be late."""
    wait = instance.interval_seconds if instance.heartbeat_kind == "ttl" else 0.0
    return now.timestamp() + wait


def _require(instances: Iterable[Instance]) -> None:
    pairs = ((instance.pk, service) for instance in instances for service in instance.requires)
    inserts.insert(Requirement, ("instance_id", "service"), pairs)


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
        "heartbeat_kind": HeartbeatKind.AUTO.value if heartbeat.chosen else heartbeat.kind,
        "is_kind_chosen": heartbeat.chosen or heartbeat.kind == "auto",
        "is_watched": heartbeat.watch,
        "heartbeat_url": declared.heartbeat_url,
        "interval_seconds": heartbeat.interval_seconds,
        "timeout_seconds": heartbeat.timeout_seconds,
        "warn_after_seconds": heartbeat.warn_after_seconds,
        "failures_before_critical": heartbeat.failures_before_critical,
        "successes_before_passing": heartbeat.successes_before_passing,
        "deregister_after_seconds": heartbeat.deregister_after_seconds,
    }
