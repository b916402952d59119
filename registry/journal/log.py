"""The journal: one row for each change, and one gap-free revision."""

import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple, cast

from django.db import transaction
from django.db.models import Max, Min

from registry import wakeups
from registry.database import bulk, inserts, rows, statements
from registry.journal import announce
from registry.models import Change, Head, Instance, JournalEntry
from registry.wakeups import Growth
from registry.wire import bodies

# Changes whose instance has no row to store the revision in: it is gone, or not there yet.
_ROWLESS = (Change.DEREGISTERED, Change.REGISTERED)


class Position(NamedTuple):
    """A place in the journal: revisions compare within one history only. Empty while nothing was written."""

    history: str = ""
    revision: int = 0


@dataclass(frozen=True, kw_only=True)
class Draft:
    """A change that is about to get its revision."""

    change: Change
    instance: Instance
    before: str
    author: str
    reason: str = ""


class Entry(NamedTuple):
    """A row of the journal; its fields are the columns."""

    revision: int
    at: datetime
    change: str
    service: str
    instance: str
    author: str
    reason: str
    before: str
    after: str
    provider: dict[str, Any]


class Step(NamedTuple):
    """The part of an entry that changes are folded from, as net_change.Step."""

    revision: int
    change: str
    service: str
    instance: str
    before: str
    after: str
    provider: dict[str, Any]


class Shown(NamedTuple):
    """The part of an entry that readers of the journal are shown."""

    revision: int
    at: datetime
    change: str
    service: str
    instance: str
    author: str
    reason: str


def append(drafts: Sequence[Draft], *, now: datetime) -> int:
    """Write the changes in this order and return the revision of the last.

    Call it inside the transaction that made the changes and as its last statement: the head stays locked from here to
    the commit, so that revisions become visible in order. Only the row of a new instance is inserted afterwards, with
    the revision that its draft was given here. After the commit the revision is announced, the changes are logged,
    and deliveries are woken.
    """
    history, last = _advance_head(len(drafts))
    first = last - len(drafts) + 1
    entries = [_entry(draft, revision=revision, now=now) for revision, draft in enumerate(drafts, start=first)]
    inserts.insert(JournalEntry, Entry._fields, entries)
    changed = [draft.instance for draft in drafts if draft.change not in _ROWLESS]
    if changed:
        bulk.write_revisions([(instance.pk, instance.revision) for instance in changed])
    if any(draft.change != Change.REGISTERED for draft in drafts):
        # A new instance is offered to nobody yet: it has to pass a probe first.
        transaction.on_commit(wakeups.wake_notifications)
    transaction.on_commit(partial(wakeups.announce, last, Growth(history=history, entries=entries)))
    transaction.on_commit(partial(wakeups.afterwards, f"log {last}", partial(announce.log_changes, entries)))
    return last


def head() -> int:
    """The newest visible revision."""
    return position().revision


def position() -> Position:
    """The head and its history."""
    # By SQL, as every read asks: the ORM takes ten times as long to compile the query as the database to answer it.
    found = statements.fetch_prepared("SELECT history, revision FROM registry_head WHERE id = 1")
    return Position(*found[0]) if found else Position()


def begin_history() -> None:
    """Begin another history, as revisions that others know may belong to changes that a restored copy has lost.

    Call it as the last statement of a transaction. After the commit it is announced.
    """
    revision = locked_head()
    Head.objects.update(history=_new_history())
    transaction.on_commit(partial(wakeups.announce, revision))


def locked_head() -> int:
    """Lock the head until this transaction ends, and return its revision."""
    return _advance_head(0).revision


def page(*, after: int, limit: int, services: Collection[str] = ()) -> list[Shown]:
    """The entries that follow a revision, oldest first."""
    return _shown("revision > %s", [after], services, order="revision", limit=limit)


def newest(*, before: int | None = None, limit: int, services: Collection[str] = ()) -> list[Shown]:
    """The entries that precede a revision, or the last ones, newest first."""
    if before is None:
        return _shown("TRUE", [], services, order="revision DESC", limit=limit)
    return _shown("revision < %s", [before], services, order="revision DESC", limit=limit)


def oldest() -> int:
    """The first revision still in the journal; one after the head when it is empty."""
    first = JournalEntry.objects.aggregate(first=Min("revision"))["first"]
    return head() + 1 if first is None else int(first)


def touched(*, after: int, up_to: int) -> dict[str, int]:
    """The services that changed in (after, up_to], each with the revision of its last change."""
    entries = JournalEntry.objects.filter(revision__gt=after, revision__lte=up_to).order_by()
    return dict(entries.values_list("service").annotate(Max("revision")))


def between(services: Collection[str], *, after: int, up_to: int) -> list[Step]:
    """The entries of these services in (after, up_to], oldest first: by SQL, as each webhook is made from them."""
    among, names = rows.among("service", services)
    found = statements.fetch(
        f"""
        SELECT {", ".join(Step._fields)} FROM registry_journalentry
        WHERE revision > %s AND revision <= %s AND {among} ORDER BY revision
        """,  # noqa: S608 -- constants
        [after, up_to, names],
    )
    return [step._replace(provider=rows.decoded(step.provider)) for step in map(Step._make, found)]


def has_between(services: Collection[str], *, after: int, up_to: int) -> bool:
    """Whether there are entries of these services in (after, up_to]."""
    among, names = rows.among("service", services)
    one = f"SELECT 1 FROM registry_journalentry WHERE {among} AND revision > %s AND revision <= %s LIMIT 1"  # noqa: S608 -- constants
    return bool(statements.fetch(one, [names, after, up_to]))


def _shown(condition: str, parameters: list[Any], services: Collection[str], *, order: str, limit: int) -> list[Shown]:
    """The entries of these services, or of all when none is named, without the instances that they keep."""
    among, names = rows.among("service", services) if services else ("TRUE", None)
    found = statements.fetch(
        f"""
        SELECT {", ".join(Shown._fields)} FROM registry_journalentry
        WHERE {condition} AND {among} ORDER BY {order} LIMIT %s
        """,  # noqa: S608 -- constants
        [*parameters, *([names] if services else []), limit],
    )
    return [each._replace(at=cast(datetime, rows.aware(each.at))) for each in map(Shown._make, found)]


def _advance_head(count: int) -> Position:
    (advanced,) = statements.fetch(
        """
        INSERT INTO registry_head (id, revision, history) VALUES (1, %s, %s)
        ON CONFLICT (id) DO UPDATE SET revision = registry_head.revision + excluded.revision
        RETURNING history, revision
        """,
        [count, _new_history()],
    )
    return Position(*advanced)


def _new_history() -> str:
    return secrets.token_hex(4)


def _entry(draft: Draft, *, revision: int, now: datetime) -> Entry:
    instance = draft.instance
    instance.revision = revision
    return Entry(
        revision=revision,
        at=now,
        change=draft.change.value,
        service=instance.service,
        instance=instance.name,
        author=draft.author,
        reason=draft.reason,
        before=draft.before,
        after="" if draft.change == Change.DEREGISTERED else bodies.offer_digest(instance),
        provider=bodies.provider_body(instance),
    )
