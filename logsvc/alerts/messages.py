"""Delivers alerts: each is stored first, then sent, and retried until the receiver accepts it."""

import json
import random
import secrets
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Count, F, Window
from django.db.models.functions import RowNumber

from config import retry_after
from config.clocks import SKEW
from config.problems import Conflict
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
KEPT_OF_A_RULE = 1000
# The lease of a worker that has claimed a message.
LEASE = timedelta(seconds=60)
AT_ONCE = 50
# The most messages of one owner that are sent at once, so that those that hang do not delay others'.
OF_ONE_OWNER = 12
# Fifty that hang for ten seconds are done within the lease.
SENDERS = 16
# How long sending goes on while there are more.
ROUNDS_SECONDS = 5.0
# The most messages of a rule that wait to be sent; the oldest beyond are given up.
WAITING_AT_MOST = 20
TEST = "logs.alert.test"
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
    waiting = AlertMessage.objects.filter(rule=rule, due_at__isnull=False).order_by("-id").values_list("pk", flat=True)
    if beyond := list(waiting[WAITING_AT_MOST - 1 :]):
        given_up = f"Given up: {WAITING_AT_MOST} newer messages of this rule were on their way."
        AlertMessage.objects.filter(pk__in=beyond).update(due_at=None, error=given_up)
    body = {"type": kind, "timestamp": now.isoformat().replace("+00:00", "Z"), "data": data}
    return AlertMessage.objects.create(
        rule=rule,
        webhook_id=f"msg_{secrets.token_hex(16)}",
        kind=kind,
        body=json.dumps(body),
        created_at=now,
        due_at=now,
    )


def add_test(rule: AlertRule, *, now: datetime) -> AlertMessage:
    """Store a message that says it is a test. Raises Conflict while another test of the rule is on its way."""
    if AlertMessage.objects.filter(rule=rule, kind=TEST, due_at__isnull=False).exists():
        raise Conflict("A test of this rule is on its way already: see its messages for what becomes of it.")
    return add(rule, TEST, {"rule": {"id": rule.pk, "name": rule.name, "query": rule.query}}, now=now)


def send_due(*, now: datetime, post: Post = post) -> int:
    """Send the messages that are due, the oldest of each owner first; returns how many were accepted. Safe to run in
    several workers.

    A worker that dies loses nothing: its message is due again when the lease is over, with the same `webhook-id`.
    """
    # It was written by a clock that was ahead, and is reset.
    unsent = AlertMessage.objects.filter(due_at__isnull=False)
    unsent.filter(created_at__gt=now + SKEW).update(created_at=now, due_at=now)
    unsent.filter(due_at__gt=now + LONGEST_PAUSE).update(due_at=now)
    taken, ends_at = 0, time.monotonic() + ROUNDS_SECONDS
    while claimed := _claimed(now):
        # At once, so that a receiver that hangs delays no other; what is read of the database is read by now.
        with ThreadPoolExecutor(max_workers=SENDERS) as senders:
            answers = list(senders.map(lambda message: _send(message, now, post), claimed))
        taken += sum(_settle(message, answer, now) for message, answer in zip(claimed, answers, strict=True))
        if time.monotonic() > ends_at:
            break
    return taken


def forget_old(*, now: datetime) -> None:
    # They would be sent when the rule is enabled again, perhaps weeks later.
    waiting = AlertMessage.objects.filter(rule__is_enabled=False, due_at__isnull=False)
    waiting.filter(created_at__lt=now - GIVEN_UP_AFTER).update(due_at=None, error="The rule was disabled.")
    sent = AlertMessage.objects.filter(due_at=None)
    sent.filter(created_at__lt=now - KEPT_FOR).delete()
    many = AlertMessage.objects.order_by().values("rule").annotate(count=Count("pk")).filter(count__gt=KEPT_OF_A_RULE)
    for rule in list(many.values_list("rule", flat=True)):
        first_kept = (
            AlertMessage.objects.filter(rule=rule).order_by("-id").values_list("pk", flat=True)[KEPT_OF_A_RULE - 1]
        )
        sent.filter(rule=rule, pk__lt=first_kept).delete()


def _claimed(now: datetime) -> list[AlertMessage]:
    """Messages to send now, in turns of the rules' owners."""
    place = Window(RowNumber(), partition_by=F("rule__owner"), order_by=("due_at", "id"))
    due = (
        AlertMessage.objects.filter(due_at__lte=now, rule__is_enabled=True)
        .annotate(place=place)
        .filter(place__lte=OF_ONE_OWNER)
        .select_related("rule")
        .order_by("place", "due_at")
    )

    def claim(message: AlertMessage) -> bool:
        # Another process may have come first.
        same = AlertMessage.objects.filter(pk=message.pk, due_at=message.due_at)
        return bool(same.update(due_at=now + LEASE, attempts=F("attempts") + 1))

    return [message for message in due[:AT_ONCE] if claim(message)]


def next_pause(attempts: int, asked: str, *, now: datetime) -> timedelta:
    """The pause after this number of attempts; a receiver's Retry-After is honoured up to an hour."""
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
