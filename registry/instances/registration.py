"""Registering, updating and deregistering."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from config.problems import Problem
from registry.database import bulk, retry, rows, statements
from registry.database.retry import Overtaken
from registry.errors import Deregistered, NamedTwice, NameTaken, Superseded
from registry.instances import catalogue, owned, probe_rates, required_names, storage
from registry.instances.allowance import Allowance
from registry.instances.storage import Entry
from registry.journal import log
from registry.models import Change, Instance, InstanceKey, Tombstone
from registry.wire import bodies
from registry.wire.declaration import Declaration


@dataclass(frozen=True, kw_only=True)
class Registered:
    """The answer to a registration: the instance as stored, and what it requires as it stands at `revision`."""

    instance: Instance
    revision: int
    providers: dict[str, list[Instance]]
    is_new: bool


@dataclass(frozen=True, kw_only=True)
class Departure:
    """A wish to remove an instance.

    With an incarnation only that run is removed: a process that stops late does not take its successor's registration
    away. The run that was removed cannot register again; when `is_final` is False, it can until another run has.
    `still` asks, when nobody else can change the instance any more, whether what it is removed for holds still. To
    remove an instance counts against no limit, because it was registered first; to end a run that is not there does.
    """

    key: InstanceKey
    author: str
    reason: str = ""
    incarnation: str | None = None
    is_final: bool = True
    still: Callable[[Instance], bool] = lambda instance: True
    allowance: Allowance | None = None


@dataclass(frozen=True, kw_only=True)
class Removed:
    was_there: bool
    revision: int


def register(key: InstanceKey, declared: Declaration, *, author: str, now: datetime) -> Registered:
    """Register an instance, or update it; the same declaration again changes and journals nothing.

    The dependent's cursor moves to the answer's revision: the answer tells it everything up to then. Raises
    Deregistered for a run that was deregistered.
    """
    return register_entry(Entry(key=key, declared=declared, author=author), now=now)


def register_entry(entry: Entry, *, now: datetime) -> Registered:
    """Register as `register` does, within the quota of the entry's token. Raises QuotaExceeded too."""
    (outcome,) = register_many([entry], now=now)
    if isinstance(outcome, Problem):
        raise outcome
    return outcome


@retry.retried
def register_many(entries: Sequence[Entry], *, now: datetime) -> list[Registered | Problem]:
    """Register each as `register` does, in one transaction; an entry that is refused hinders none of the others."""
    return store_all(entries, now=now)


def store_all(entries: Sequence[Entry], *, now: datetime) -> list[Registered | Problem]:
    """Register as `register_many` does, in the caller's transaction and a handful of statements."""
    found = _locked_many([entry.key for entry in entries])
    refused = find_refused(entries, found)
    for too_much in (probe_rates.beyond, required_names.beyond):
        refused |= too_much([entry for entry in entries if id(entry) not in refused], found)
    accepted = [entry for entry in entries if id(entry) not in refused]
    known = {entry.key: found[entry.key] for entry in accepted if entry.key in found}
    followed = _followed(known, accepted)
    changes = storage.changes(known, accepted, now=now)
    newcomers = [entry for entry in accepted if entry.key not in known]
    if beyond := _beyond_limit([*(change.entry for change in changes), *newcomers]):
        refused |= beyond
        known = {entry.key: known[entry.key] for entry in accepted if entry.key in known and id(entry) not in refused}
        changes = [change for change in changes if id(change.entry) not in refused]
        newcomers = [entry for entry in newcomers if id(entry) not in refused]
    _bury([(key, run) for key, run in followed if key in known], now=now)
    changed = storage.update(changes, now=now)
    if newcomers:
        # They have no row to lock: the head's lock stands in. A writer that buries one, or begins or ends maintenance,
        # has either done so before this, or looks for them after it.
        log.locked_head()
        refused |= _buried(newcomers, found) | _taken(newcomers)
        newcomers = [entry for entry in newcomers if id(entry) not in refused]
        refused |= owned.beyond(newcomers)
        newcomers = [entry for entry in newcomers if id(entry) not in refused]
    _follow(newcomers)
    fresh = storage.draft(newcomers, now=now)
    drafts = [*map(storage.announced, fresh.values()), *changed]
    revision = log.append(drafts, now=now) if drafts else log.locked_head()
    # After the journal, because each row holds the revision that it was given there.
    storage.insert(fresh.values(), revision=revision, now=now)
    storage.point_cursors(known.values(), revision=revision)
    stored = {**known, **fresh}
    offered = catalogue.offered({service for instance in stored.values() for service in instance.requires})
    return [
        refused.get(id(entry))
        or Registered(
            instance=(instance := stored[entry.key]),
            revision=revision,
            providers={service: offered[service] for service in instance.requires},
            is_new=entry.key in fresh,
        )
        for entry in entries
    ]


@retry.retried
def deregister(
    key: InstanceKey,
    *,
    author: str,
    reason: str = "",
    incarnation: str | None = None,
    is_final: bool = True,
    still: Callable[[Instance], bool] = lambda instance: True,
    now: datetime,
) -> bool:
    """Remove an instance; False when it was not there. As `remove_all`, in a transaction of its own."""
    departure = Departure(
        key=key, author=author, reason=reason, incarnation=incarnation, is_final=is_final, still=still
    )
    (removed,) = remove_all([departure], now=now)
    if isinstance(removed, Problem):
        raise removed
    return removed.was_there


def remove_all(departures: Sequence[Departure], *, now: datetime) -> list[Removed | Problem]:
    """Remove instances, each named once, in the caller's transaction. Their dependents are told.

    Raises Overtaken when one that was not there is registered meanwhile.
    """
    found = _locked_many([departure.key for departure in departures])
    refused = {
        id(each): problem
        for each in departures
        if each.allowance and each.incarnation and each.key not in found and (problem := each.allowance.spend(1))
    }
    some = [
        each
        for each in departures
        if id(each) not in refused and (each.key not in found or each.still(found[each.key]))
    ]
    runs = [
        (each.key, each.incarnation or found[each.key].incarnation)
        for each in some
        if each.is_final and (each.incarnation or each.key in found)
    ]
    _bury([(key, run) for key, run in runs if run], now=now)
    _bury(
        [
            (each.key, run)
            for each in some
            if not each.is_final and each.key in found and (run := found[each.key].incarnation)
        ],
        is_final=False,
        now=now,
    )
    absent = [key for key, run in runs if run and key not in found]
    if absent:
        # A run that registers now has either seen the tombstone, or has ended.
        log.locked_head()
        if _locked_many(absent):
            raise Overtaken
    leaving = {
        each.key: each for each in some if each.key in found and each.incarnation in (None, found[each.key].incarnation)
    }
    drafts = [
        log.Draft(
            change=Change.DEREGISTERED,
            instance=found[key],
            before=bodies.offer_digest(found[key]),
            author=each.author,
            reason=each.reason,
        )
        for key, each in leaving.items()
    ]
    bulk.delete_instances([draft.instance.pk for draft in drafts])
    revision = log.append(drafts, now=now) if drafts else log.head()
    return [refused.get(id(each)) or Removed(was_there=each.key in leaving, revision=revision) for each in departures]


def find_refused(entries: Sequence[Entry], found: Mapping[InstanceKey, Instance]) -> dict[int, Problem]:
    """Runs that are over, and the later of two entries for one instance, by the entry's identity."""
    refused = _buried(entries, found)
    seen: set[tuple[str, str]] = set()
    for entry in entries:
        name = (entry.key.service, entry.key.instance.lower())
        if name in seen and id(entry) not in refused:
            refused[id(entry)] = NamedTwice(entry.key.service, entry.key.instance)
        seen.add(name)
    return refused


def _buried(entries: Sequence[Entry], found: Mapping[InstanceKey, Instance]) -> dict[int, Problem]:
    """Runs that were deregistered, or that another run has followed, by the entry's identity."""
    runs = {(entry.key.service, entry.key.instance): entry for entry in entries if entry.declared.incarnation}
    if not runs:
        return {}
    condition, parameters = rows.among_pairs("(service, instance)", list(runs))
    over = f"SELECT service, instance, incarnation FROM registry_tombstone WHERE is_final AND {condition}"  # noqa: S608 -- constants
    buried = set(statements.fetch(over, parameters))
    return {
        id(entry): (Superseded if entry.key in found else Deregistered)(entry.key.service, entry.key.instance)
        for entry in entries
        if (entry.key.service, entry.key.instance, entry.declared.incarnation) in buried
    }


def _taken(newcomers: Sequence[Entry]) -> dict[int, Problem]:
    """New instances whose names differ only in case from one that is registered, by the entry's identity."""
    names = [(entry.key.service, entry.key.instance.lower()) for entry in newcomers]
    given, parameters = rows.given_pairs(names)
    same = "service = given.first AND lower(name) = given.second"
    found = statements.fetch(f"SELECT service, name FROM {given} JOIN registry_instance ON {same}", parameters)  # noqa: S608 -- constants
    taken = {(service, name.lower()): name for service, name in found}
    return {
        id(entry): NameTaken(entry.key.service, entry.key.instance, taken=taken[name])
        for entry, name in zip(newcomers, names, strict=True)
        # The very same name was registered since it was looked for, as the insert will find.
        if name in taken and taken[name] != entry.key.instance
    }


def _beyond_limit(entries: Sequence[Entry]) -> dict[int, Problem]:
    """Changes that their tokens may not make now, by the entry's identity: all of a request, or none."""
    by_request: defaultdict[Allowance, list[Entry]] = defaultdict(list)
    for entry in entries:
        if entry.allowance is not None:
            by_request[entry.allowance].append(entry)
    refused: dict[int, Problem] = {}
    for allowance, some in by_request.items():
        if problem := allowance.spend(sum(entry.cost for entry in some)):
            refused |= dict.fromkeys(map(id, some), problem)
    return refused


def _followed(known: Mapping[InstanceKey, Instance], entries: Sequence[Entry]) -> list[tuple[InstanceKey, str]]:
    """The runs that another follows: a late registration of theirs must not overwrite their successor's."""
    return [
        (entry.key, before)
        for entry in entries
        if entry.key in known and (before := known[entry.key].incarnation) not in ("", entry.declared.incarnation)
    ]


def _follow(newcomers: Sequence[Entry]) -> None:
    """Forbid the runs that were given up, and that others follow now, to come back."""
    if not newcomers:
        return
    runs = {(entry.key.service, entry.key.instance): entry.declared.incarnation for entry in newcomers}
    condition, parameters = rows.among_pairs("(service, instance)", list(runs))
    given_up = f"SELECT id, service, instance, incarnation FROM registry_tombstone WHERE NOT is_final AND {condition}"  # noqa: S608 -- constants
    found = statements.fetch(given_up, parameters)
    followed = [number for number, service, name, run in found if runs[service, name] != run]
    # Hardly ever are there any.
    if followed:
        Tombstone.objects.filter(pk__in=followed).update(is_final=True)


def _bury(runs: Sequence[tuple[InstanceKey, str]], *, is_final: bool = True, now: datetime) -> None:
    if not runs:
        return
    at = connection.ops.adapt_datetimefield_value(now)
    statements.execute_many(
        """
        INSERT INTO registry_tombstone (service, instance, incarnation, is_final, at) VALUES (%s, %s, %s, %s, %s)
        ON CONFLICT (service, instance, incarnation) DO UPDATE SET at = excluded.at, is_final = excluded.is_final
        """,
        [(key.service, key.instance, run, is_final, at) for key, run in runs],
    )


def _locked_many(targets: Sequence[InstanceKey]) -> dict[InstanceKey, Instance]:
    # In one order everywhere, so that two batches do not wait for each other.
    found = rows.named([(key.service, key.instance) for key in targets], locked=True, order="id")
    return {InstanceKey(service=each.service, instance=each.name): each for each in found}
