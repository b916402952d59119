"""Delivers alerts: each is stored first, then sent, and retried until the receiver accepts it."""

import json
import random
import secrets
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import F

from config import retry_after
from config.clocks import SKEW
from logsvc import representation, timestamps
from logsvc.alerts.post import Answer, post
from logsvc.models import AlertMessage, AlertRule
from logsvc.record import Stored
from logsvc.storage.interface import Range
from registry.client import webhook

# After the first attempts, then hourly until it is given up.
PAUSES_SECONDS = (5, 30, 120, 600, 1800)
LAST_PAUSE_SECONDS = 3600
MOST_DIGITS = 5
JITTER = 0.2
LONGEST_PAUSE = timedelta(seconds=LAST_PAUSE_SECONDS * (1 + JITTER)) + SKEW
GIVEN_UP_AFTER = timedelta(days=1)
KEPT_FOR = timedelta(days=30)
# A worker that has claimed a message may take so long.
LEASE = timedelta(seconds=60)
AT_ONCE = 50
# Fifty that hang for ten seconds are done within the lease.
SENDERS = 16
SAMPLE_CHARACTERS = 300
GONE = 410

Post = Callable[..., Answer]


def outcome(
    rule: AlertRule, since: datetime | None, *, count: int, within: Range, samples: Sequence[Stored]
) -> dict[str, Any]:
    """The data of a message about a rule."""
    return {
        "rule": {"id": rule.pk, "name": rule.name, "query": rule.query},
        "condition": rule.condition,
        "threshold": rule.threshold,
        "count": count,
        "from": timestamps.wire(within.from_ns or 0),
        "to": timestamps.wire(within.to_ns or 0),
        "since": None if since is None else since.isoformat().replace("+00:00", "Z"),
        "records": [
            {name: body[name] for name in ("id", "time", "level", "service", "instance")}
            | {"message": body["message"][:SAMPLE_CHARACTERS]}
            for body in map(representation.record_body, samples)
        ],
    }


def add(rule: AlertRule, kind: str, data: dict[str, Any], *, now: datetime) -> AlertMessage:
    """Store a message, due at once."""
    body = {"type": kind, "timestamp": now.isoformat().replace("+00:00", "Z"), "data": data}
    return AlertMessage.objects.create(
        rule=rule,
        webhook_id=f"msg_{secrets.token_hex(16)}",
        kind=kind,
        body=json.dumps(body),
        created_at=now,
        due_at=now,
    )


def send_due(*, now: datetime, post: Post = post) -> int:
    """Send the messages that are due, oldest first; returns how many were accepted. Safe to run in several workers.

    A worker that dies loses nothing: its message is due again when the lease is over, with the same `webhook-id`.
    """
    # By a clock that was ahead: it is set back again.
    unsent = AlertMessage.objects.filter(due_at__isnull=False)
    unsent.filter(created_at__gt=now + SKEW).update(created_at=now, due_at=now)
    unsent.filter(due_at__gt=now + LONGEST_PAUSE).update(due_at=now)
    due = AlertMessage.objects.filter(due_at__lte=now, rule__is_enabled=True).select_related("rule")

    def claim(message: AlertMessage) -> bool:
        # Another process may have come first.
        same = AlertMessage.objects.filter(pk=message.pk, due_at=message.due_at)
        return bool(same.update(due_at=now + LEASE, attempts=F("attempts") + 1))

    claimed = [message for message in due.order_by("due_at")[:AT_ONCE] if claim(message)]
    # At once, so that a receiver that hangs delays no other; what is read of the database is read by now.
    with ThreadPoolExecutor(max_workers=SENDERS) as senders:
        answers = list(senders.map(lambda message: _send(message, now, post), claimed))
    return sum(_settle(message, answer, now) for message, answer in zip(claimed, answers, strict=True))


def forget_old(*, now: datetime) -> None:
    AlertMessage.objects.filter(created_at__lt=now - KEPT_FOR, due_at=None).delete()


def next_pause(attempts: int, asked: str, *, now: datetime) -> timedelta:
    """The pause after so many attempts; a receiver's Retry-After is honoured up to an hour."""
    pause = PAUSES_SECONDS[attempts - 1] if attempts <= len(PAUSES_SECONDS) else LAST_PAUSE_SECONDS
    # A longer number cannot be meant as a time.
    seconds = (
        retry_after.seconds(asked, now=now) if len(asked) <= MOST_DIGITS or not asked.isdecimal() else None
    ) or 0.0
    return timedelta(seconds=max(pause * random.uniform(1 - JITTER, 1 + JITTER), min(seconds, LAST_PAUSE_SECONDS)))


def _send(message: AlertMessage, now: datetime, post: Post) -> Answer:
    body, timestamp = message.body.encode(), int(now.timestamp())
    try:
        secret = message.rule.secret or ""
        signature = webhook.sign(secret=secret, message_id=message.webhook_id, timestamp=timestamp, body=body)
    except ValueError as error:
        return Answer(error=str(error))
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "rollcall-logsvc",
        "webhook-id": message.webhook_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": signature,
    }
    return post(message.rule.url, body, headers, allowed=settings.ALERT_NETWORKS)


def _settle(message: AlertMessage, answer: Answer, now: datetime) -> bool:
    is_taken = answer.status is not None and 200 <= answer.status < 300
    attempts = message.attempts + 1
    due_at: datetime | None = now + next_pause(attempts, answer.retry_after, now=now)
    if is_taken or answer.status == GONE or now - message.created_at >= GIVEN_UP_AFTER:
        due_at = None
    error = "" if is_taken else answer.error or f"It was answered {answer.status}."
    AlertMessage.objects.filter(pk=message.pk).update(
        due_at=due_at, delivered_at=now if is_taken else None, status=answer.status, error=error[:300]
    )
    if answer.status == GONE:
        trouble = "The address answered 410: it wants no more. Change the rule and enable it to send again."
        AlertRule.objects.filter(pk=message.rule_id).update(is_enabled=False, trouble=trouble)
    return is_taken
