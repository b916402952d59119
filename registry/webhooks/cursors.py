"""Telling dependents: who lags behind the journal, what to tell them, and what came of it.

The cursor moves on a 2xx only, so nothing is lost; what is told is made anew from the journal at each attempt, so a
dependent that was away for an hour gets one message with the net change.
"""

import random
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import F

from registry.database import inserts, rows
from registry.journal import log as journal
from registry.models import Cursor, Delivery, Instance
from registry.webhooks.compose import Composer, Lagging, Message, secrets_of

RETRY_SECONDS = (1.0, 5.0, 15.0, 60.0, 300.0)
JITTER = 0.2
TIMEOUT_SECONDS = 10.0
LEASE_SECONDS = 30.0
PUT_BACK_SECONDS = 1.0
LONGEST_RETRY_AFTER_SECONDS = 3600.0
ANSWER_CHARACTERS = 300
GONE = 410
_IS_LAGGING = (
    "(scanned_revision < %s OR needs_resync) AND next_attempt_at <= %s AND lease_until <= %s AND NOT is_stopped"
)
# Of a cursor, in the order in which `_lagging` reads them.
_CURSOR = "instance_id, notified_revision, scanned_revision, sent_revision, attempts, needs_resync"


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """What came of sending one; `error` is empty when the dependent took it."""

    message: Message
    status_code: int | None
    duration_ms: float
    error: str
    answer: str = ""
    retry_after_seconds: float | None = None

    @property
    def succeeded(self) -> bool:
        return not self.error


def claim(*, now: datetime, limit: int, left_alone: Collection[int] = ()) -> list[Message]:
    """Take up to `limit` dependents that lag, but for those to be left alone, and make what each must be told.

    Those for whom nothing changed are moved on without a message. Returns the messages to send.
    """
    head = journal.head()
    lease = now.timestamp() + LEASE_SECONDS
    cursors = _claim_cursors(head, lease_until=lease, limit=limit, left_alone=left_alone, now=now)
    if not cursors:
        return []
    composer = Composer(cursors, lease_until=lease, head=head, now=now)
    composed = {cursor.instance_id: composer.message(cursor) for cursor in cursors}
    messages = [message for message in composed.values() if message is not None]
    unconcerned = [pk for pk, message in composed.items() if message is None]
    _move(unconcerned, lease_until=lease, to={"scanned_revision": head, "lease_until": 0})
    sent = _move([message.instance_id for message in messages], lease_until=lease, to={"sent_revision": head})
    return [message for message in messages if message.instance_id in sent]


@transaction.atomic
def record(attempts: Sequence[Attempt], *, now: datetime) -> None:
    """Log the attempts, move the cursors of those who took theirs and put the others off."""
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
        # One statement for all that were told of the same: a change with a thousand dependents costs one.
        Cursor.objects.filter(pk__in=ids, lease_until=lease_until).update(
            notified_revision=to_revision,
            scanned_revision=to_revision,
            lease_until=0,
            attempts=0,
            next_attempt_at=0,
            needs_resync=False,
        )
    log(attempts, now=now)


def put_back(messages: Sequence[Message], *, now: datetime) -> None:
    """Give up the claims of what cannot be sent now, for a moment; it counts as no attempt."""
    if messages:
        ids = [message.instance_id for message in messages]
        again = {"lease_until": 0, "next_attempt_at": now.timestamp() + PUT_BACK_SECONDS}
        _move(ids, lease_until=messages[0].lease_until, to=again)


def log(attempts: Sequence[Attempt], *, now: datetime) -> None:
    """Keep what was attempted, with the first characters of each answer."""
    inserts.insert(Delivery, _DELIVERY_COLUMNS, (_delivery(attempt, now=now) for attempt in attempts))


def lagging(*, now: float, left_alone: Collection[int] = ()) -> bool:
    """Whether any dependent could be told something now, but for those to be left alone.

    Not one that somebody else has locked, which `claim` passes over: a sweep would ask for it until it is free.
    """
    is_lagging, parameters = _is_lagging(journal.head(), now, left_alone)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT instance_id FROM registry_cursor WHERE {is_lagging} LIMIT 1 {_skip_locked()}",  # noqa: S608 -- constants
            parameters,
        )
        return cursor.fetchone() is not None


def _is_lagging(head: int, at: float, left_alone: Collection[int]) -> tuple[str, list[Any]]:
    """An SQL condition and its parameters."""
    if not left_alone:
        return _IS_LAGGING, [head, at, at]
    condition, parameter = rows.among("instance_id", left_alone)
    # Put back, and not pointed anew since: who registered again may be told elsewhere.
    return f"{_IS_LAGGING} AND NOT (next_attempt_at > 0 AND {condition})", [head, at, at, parameter]


def _claim_cursors(
    head: int, *, lease_until: float, limit: int, left_alone: Collection[int], now: datetime
) -> list[Lagging]:
    is_lagging, parameters = _is_lagging(head, now.timestamp(), left_alone)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            UPDATE registry_cursor SET lease_until = %s WHERE instance_id IN (
                SELECT instance_id FROM registry_cursor
                WHERE {is_lagging}
                ORDER BY scanned_revision LIMIT %s {_skip_locked()}
            ) RETURNING {_CURSOR}
            """,  # noqa: S608 -- what is put in are constants of ours
            [lease_until, *parameters, limit],
        )
        claimed = cursor.fetchall()
    # By a second statement, because SQLite returns only columns of the table that is updated.
    instances = rows.by_ids([row[0] for row in claimed])
    return [_lagging(row, instances[row[0]], now=now) for row in claimed if row[0] in instances]


def _move(ids: Sequence[int], *, lease_until: float, to: Mapping[str, float]) -> set[int]:
    """Returns those that are still held; as `_held`, in one statement."""
    if not ids:
        return set()
    condition, parameter = rows.among("instance_id", ids)
    assignments = ", ".join(f"{column} = %s" for column in to)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            UPDATE registry_cursor SET {assignments} WHERE instance_id IN (
                SELECT instance_id FROM registry_cursor WHERE {condition} AND lease_until = %s {_skip_locked()}
            ) RETURNING instance_id
            """,  # noqa: S608 -- what is put in are constants of ours
            [*to.values(), parameter, lease_until],
        )
        return {row[0] for row in cursor.fetchall()}


def _skip_locked() -> str:
    return "FOR UPDATE SKIP LOCKED" if connection.features.has_select_for_update_skip_locked else ""


def _held(ids: Sequence[int]) -> set[int]:
    """Lock these cursors, but for those that somebody else has locked.

    That is who registers or deregisters the dependent, or tells it again, which ends our claim. Not to wait for it is
    what keeps two that lock many in different orders from waiting for each other.
    """
    if len(ids) == 1 or not connection.features.has_select_for_update_skip_locked:
        return set(ids)
    free = Cursor.objects.select_for_update(skip_locked=True).filter(pk__in=ids)
    return set(free.values_list("pk", flat=True))


def _lagging(cursor: Sequence[Any], instance: Instance, *, now: datetime) -> Lagging:
    pk, notified, scanned, sent, attempts, needs_resync = cursor
    return Lagging(
        instance_id=pk,
        notified_revision=notified,
        scanned_revision=scanned,
        sent_revision=sent,
        attempts=attempts,
        # SQLite has no booleans.
        needs_resync=bool(needs_resync),
        service=instance.service,
        name=instance.name,
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
        wait = _wait_seconds(attempt)
        held.update(lease_until=0, attempts=F("attempts") + 1, next_attempt_at=now.timestamp() + wait)


def _wait_seconds(attempt: Attempt) -> float:
    wait = RETRY_SECONDS[min(attempt.message.attempts, len(RETRY_SECONDS) - 1)]
    wait *= random.uniform(1 - JITTER, 1 + JITTER)
    asked = attempt.retry_after_seconds
    return wait if asked is None else max(wait, min(asked, LONGEST_RETRY_AFTER_SECONDS))


def _delivery(attempt: Attempt, *, now: datetime) -> tuple[Any, ...]:
    message = attempt.message
    subscriber = (message.service, message.instance)
    span = (message.id, message.from_revision, message.to_revision)
    outcome = (attempt.status_code, attempt.duration_ms, attempt.error[:300], attempt.answer[:ANSWER_CHARACTERS])
    return now, *subscriber, *span, *outcome


# In the order in which `_delivery` gives them.
_DELIVERY_COLUMNS = (
    "at",
    "service",
    "instance",
    "webhook_id",
    "from_revision",
    "to_revision",
    "status_code",
    "duration_ms",
    "error",
    "answer",
)
