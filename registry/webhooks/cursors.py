"""The cursors of dependents: which lag behind the journal, the message for each, and the outcome of sending it.

The cursor moves on a 2xx only, so nothing is lost; each attempt's message is made from the journal again, so a
dependent that was away for an hour gets one message with the net change.
"""

import random
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection, transaction
from django.db.models import F

from config.clocks import SKEW_SECONDS
from registry.database import inserts, rows, statements
from registry.journal import log as journal
from registry.models import Cursor, Delivery, Instance
from registry.webhooks.compose import MOST_REVISIONS, Composer, Lagging, Message, secrets_of

# The wait by the number of attempts. A receiver back within ten minutes has everything ten seconds later; one that
# stays away for an hour costs an attempt every five minutes.
RETRY_SECONDS = {0: 1.0, 1: 2.0, 2: 4.0, 3: 8.0, 75: 60.0, 105: 300.0}
JITTER = 0.2
TIMEOUT_SECONDS = 10.0
# Renewed while a message is under way (`renew`), so that another worker soon sends the message of one that died.
LEASE_SECONDS = 8.0
RENEW_BEFORE_SECONDS = 5.0
PUT_BACK_SECONDS = 1.0
LONGEST_RETRY_AFTER_SECONDS = 3600.0
ANSWER_CHARACTERS = 300
GONE = 410
# A delivery that was put off in the future, or claimed for longer than a claim lasts, was so by a clock that was ahead.
_IS_LAGGING = f"""
    (scanned_revision < %s OR needs_resync) AND NOT is_stopped
    AND (next_attempt_at <= %s OR put_off_at > %s + {SKEW_SECONDS})
    AND (lease_until <= %s OR lease_until > %s + {LEASE_SECONDS + SKEW_SECONDS})
"""


class _Claimed(NamedTuple):
    """A cursor as the claim returns it, column by column."""

    instance_id: int
    notified_revision: int
    scanned_revision: int
    sent_revision: int
    attempts: int
    needs_resync: bool


class _DeliveryRow(NamedTuple):
    """An attempt as it is stored, column by column."""

    at: datetime
    service: str
    instance: str
    webhook_id: str
    from_revision: int
    to_revision: int
    status_code: int | None
    duration_ms: float
    error: str
    answer: str


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """An attempt to deliver a message; `error` is empty when the dependent accepted it."""

    message: Message
    status_code: int | None
    duration_ms: float
    error: str
    answer: str = ""
    retry_after_seconds: float | None = None

    @property
    def succeeded(self) -> bool:
        return not self.error


def claim(
    *, now: datetime, limit: int, left_alone: Collection[int] = (), most_revisions: int = MOST_REVISIONS
) -> list[Message]:
    """Claim up to `limit` dependents that lag, except those to be left alone, and compose a message for each.

    The cursors of those for whom nothing changed move on without a message. Returns the messages to send.
    """
    head = journal.head()
    lease = now.timestamp() + LEASE_SECONDS
    cursors = _claim_cursors(head, lease_until=lease, limit=limit, left_alone=left_alone, now=now)
    if not cursors:
        return []
    composer = Composer(cursors, lease_until=lease, head=head, now=now, most_revisions=most_revisions)
    composed = {cursor.instance_id: composer.message(cursor) for cursor in cursors}
    unconcerned = [pk for pk, message in composed.items() if message is None]
    _move(unconcerned, lease_until=lease, to={"scanned_revision": head, "lease_until": 0, "sent_revision": 0})
    return [message for message in composed.values() if message is not None]


@transaction.atomic
def record(attempts: Sequence[Attempt], *, now: datetime) -> None:
    """Log the attempts, move the cursors of those that accepted theirs, and put the others off."""
    taken: defaultdict[tuple[int, float], list[int]] = defaultdict(list)
    held = _held([attempt.message.instance_id for attempt in attempts])
    for attempt in attempts:
        message = attempt.message
        if message.instance_id not in held:
            continue
        if attempt.succeeded:
            taken[message.to_revision, message.lease_until].append(message.instance_id)
        else:
            _put_off(attempt, now=now)
    for (to_revision, lease_until), ids in taken.items():
        # One statement for all that were told the same: a change with a thousand dependents costs one.
        Cursor.objects.filter(pk__in=ids, lease_until=lease_until).update(
            notified_revision=to_revision,
            scanned_revision=to_revision,
            lease_until=0,
            attempts=0,
            next_attempt_at=0,
            needs_resync=False,
        )
    log(attempts, now=now)


def renew(instance_ids: Sequence[int], *, lease_until: float, to: float) -> set[int]:
    """Hold claims of one sweep for longer; returns those that are still ours."""
    return _move(instance_ids, lease_until=lease_until, to={"lease_until": to})


def put_back(messages: Sequence[Message], *, now: datetime, seconds: float = PUT_BACK_SECONDS) -> None:
    """Give up the claims of messages that cannot be sent now, for this long; it does not count as an attempt."""
    at = now.timestamp()
    again = {"lease_until": 0, "next_attempt_at": at + seconds, "put_off_at": at}
    # The claim noted a message as sent. It was not, so there is no doubt to clear up if nothing is left of the change.
    for is_in_doubt, noted in ((True, {}), (False, {"sent_revision": 0})):
        ids = [message.instance_id for message in messages if message.is_in_doubt == is_in_doubt]
        if ids:
            _move(ids, lease_until=messages[0].lease_until, to={**again, **noted})


def log(attempts: Sequence[Attempt], *, now: datetime) -> None:
    """Store the attempts, with the first characters of each answer."""
    made = (
        _DeliveryRow(
            at=now,
            service=attempt.message.service,
            instance=attempt.message.instance,
            webhook_id=attempt.message.id,
            from_revision=attempt.message.from_revision,
            to_revision=attempt.message.to_revision,
            status_code=attempt.status_code,
            duration_ms=attempt.duration_ms,
            error=attempt.error[:300],
            answer=attempt.answer[:ANSWER_CHARACTERS],
        )
        for attempt in attempts
    )
    inserts.insert(Delivery, _DeliveryRow._fields, made)


def lagging(*, now: float, left_alone: Collection[int] = ()) -> bool:
    """Whether any dependent could be told something now, except those to be left alone.

    A cursor that another transaction has locked does not count, as `claim` passes it over.
    """
    is_lagging, parameters = _is_lagging(journal.head(), now, left_alone)
    one = f"SELECT instance_id FROM registry_cursor WHERE {is_lagging} LIMIT 1 {_skip_locked()}"  # noqa: S608 -- constants
    return bool(statements.fetch(one, parameters))


def _is_lagging(head: int, at: float, left_alone: Collection[int]) -> tuple[str, list[Any]]:
    """An SQL condition and its parameters."""
    if not left_alone:
        return _IS_LAGGING, [head, at, at, at, at]
    condition, parameter = rows.among("instance_id", left_alone)
    # Put back, and not moved since: a dependent that registered again may be told at another address.
    return f"{_IS_LAGGING} AND NOT (next_attempt_at > 0 AND {condition})", [head, at, at, at, at, parameter]


def _claim_cursors(
    head: int, *, lease_until: float, limit: int, left_alone: Collection[int], now: datetime
) -> list[Lagging]:
    """Claim cursors that lag, and note that each may be sent what leads to the head.

    Both in one transaction, because each commit waits for the disk before anything is sent.
    """
    is_lagging, parameters = _is_lagging(head, now.timestamp(), left_alone)
    with transaction.atomic():
        found = statements.fetch(
            f"""
            SELECT {", ".join(_Claimed._fields)} FROM registry_cursor
            WHERE {is_lagging} ORDER BY scanned_revision LIMIT %s {_skip_locked()}
            """,  # noqa: S608 -- what is put in are constants of ours
            [*parameters, limit],
        )
        claimed = list(map(_Claimed._make, found))
        if claimed:
            among, ids = rows.among("instance_id", [each.instance_id for each in claimed])
            statements.fetch(
                f"UPDATE registry_cursor SET lease_until = %s, sent_revision = %s WHERE {among}",  # noqa: S608 -- constants
                [lease_until, head, ids],
            )
    instances = rows.by_ids([each.instance_id for each in claimed])
    return [_lagging(each, instances[each.instance_id], now=now) for each in claimed if each.instance_id in instances]


def _move(ids: Sequence[int], *, lease_until: float, to: Mapping[str, float]) -> set[int]:
    """Update the cursors that are still held; returns their ids. As `_held`, in one statement."""
    if not ids:
        return set()
    condition, parameter = rows.among("instance_id", ids)
    assignments = ", ".join(f"{column} = %s" for column in to)
    moved = statements.fetch(
        f"""
        UPDATE registry_cursor SET {assignments} WHERE instance_id IN (
            SELECT instance_id FROM registry_cursor WHERE {condition} AND lease_until = %s {_skip_locked()}
        ) RETURNING instance_id
        """,  # noqa: S608 -- what is put in are constants of ours
        [*to.values(), parameter, lease_until],
    )
    return {pk for (pk,) in moved}


def _skip_locked() -> str:
    return "FOR UPDATE SKIP LOCKED" if connection.features.has_select_for_update_skip_locked else ""


def _held(ids: Sequence[int]) -> set[int]:
    """Lock these cursors, except those that another transaction has locked.

    That one registers or deregisters the dependent, or redelivers to it, which ends our claim. Not waiting for it
    prevents a deadlock between two that lock many cursors in different orders.
    """
    if len(ids) == 1 or not connection.features.has_select_for_update_skip_locked:
        return set(ids)
    free = Cursor.objects.select_for_update(skip_locked=True).filter(pk__in=ids)
    return set(free.values_list("pk", flat=True))


def _lagging(cursor: _Claimed, instance: Instance, *, now: datetime) -> Lagging:
    return Lagging(
        instance_id=cursor.instance_id,
        notified_revision=cursor.notified_revision,
        scanned_revision=cursor.scanned_revision,
        sent_revision=cursor.sent_revision,
        attempts=cursor.attempts,
        # SQLite has no booleans.
        needs_resync=bool(cursor.needs_resync),
        service=instance.service,
        name=instance.name,
        registered_by=instance.registered_by,
        requires=tuple(instance.requires),
        notify_url=instance.notify_url or "",
        secrets=secrets_of(
            instance.notify_secret, instance.previous_notify_secret, until=instance.previous_secret_until, now=now
        ),
    )


def _put_off(attempt: Attempt, *, now: datetime) -> None:
    held = Cursor.objects.filter(pk=attempt.message.instance_id, lease_until=attempt.message.lease_until)
    if attempt.status_code == GONE:
        held.update(lease_until=0, is_stopped=True)
    else:
        wait = max(wait for attempts, wait in RETRY_SECONDS.items() if attempts <= attempt.message.attempts)
        wait *= random.uniform(1 - JITTER, 1 + JITTER)
        if attempt.retry_after_seconds is not None:
            wait = max(wait, min(attempt.retry_after_seconds, LONGEST_RETRY_AFTER_SECONDS))
        at = now.timestamp()
        held.update(lease_until=0, attempts=F("attempts") + 1, next_attempt_at=at + wait, put_off_at=at)
