"""Redelivers on demand: from a revision on, by a resync, or just a test."""

import secrets
from collections.abc import Iterable
from datetime import datetime

import msgspec
from django.db import transaction
from django.db.models import QuerySet

from config.problems import Conflict
from registry import wakeups
from registry.database import retry
from registry.errors import UnknownDelivery, UnknownRevision
from registry.instances import catalogue
from registry.journal import log
from registry.models import Cursor, Delivery, Instance, InstanceKey, JournalEntry
from registry.webhooks.compose import Message, secrets_of
from registry.wire import bodies

TEST_TYPE = "registry.test"


@retry.retried
def since(target: InstanceKey, revision: int) -> None:
    """Set the dependent's cursor back: the net change from `revision` on is redelivered at once.

    Raises UnknownInstance, Conflict when it takes no webhooks, UnknownRevision when the journal does not reach back.
    """
    instance = _told(target)
    head, oldest = log.head(), JournalEntry.objects.order_by("revision").values_list("revision", flat=True).first()
    if revision > head or (oldest is not None and revision < oldest - 1):
        raise UnknownRevision(revision, oldest=(oldest or head + 1) - 1, head=head)
    _rewind(Cursor.objects.filter(instance=instance), notified_revision=revision, scanned_revision=revision)


def delivery(target: InstanceKey, number: int) -> None:
    """Redeliver as `since` does, from the start of one delivery. Raises UnknownDelivery too."""
    found = Delivery.objects.filter(pk=number, service=target.service, instance=target.instance).first()
    if found is None:
        raise UnknownDelivery(number, target.service, target.instance)
    since(target, found.from_revision)


@retry.retried
def resync(targets: Iterable[InstanceKey] | None = None) -> int:
    """Resync dependents, all of them or those named; returns how many. Raises as `since` does."""
    cursors = Cursor.objects.all()
    if targets is not None:
        cursors = cursors.filter(instance__in=[_told(target) for target in targets])
    return _rewind(cursors, needs_resync=True)


@retry.retried
def begin_history() -> int:
    """Begin a new history after the database was restored from a copy, which may have lost changes that others know.

    No answer counts as unchanged that was given before, and every dependent that takes webhooks asks for the whole;
    returns how many do.
    """
    # In the order in which registrations lock them, to prevent a deadlock.
    list(Instance.objects.select_for_update().order_by("pk").values_list("pk"))
    count = resync()
    log.begin_history()
    return count


def trial(target: InstanceKey, *, now: datetime) -> Message:
    """A signed message that changes nothing, for `sender.send_now`. Raises as `since` does."""
    instance = _told(target)
    body = {
        "type": TEST_TYPE,
        "timestamp": bodies.timestamp(now),
        "data": {"subscriber": {"service": instance.service, "instance": instance.name}},
    }
    revision = log.head()
    return Message(
        instance_id=instance.pk,
        service=instance.service,
        instance=instance.name,
        registered_by=instance.registered_by,
        url=instance.notify_url or "",
        secrets=secrets_of(
            instance.notify_secret, instance.previous_notify_secret, until=instance.previous_secret_until, now=now
        ),
        id=f"test_{instance.pk}_{secrets.token_hex(8)}",
        from_revision=revision,
        to_revision=revision,
        attempts=0,
        lease_until=0.0,
        body=msgspec.json.encode(body),
    )


def _told(target: InstanceKey) -> Instance:
    instance = catalogue.instance(target.service, target.instance)
    if instance.notify_url is None:
        raise Conflict(f"{instance} takes no webhooks: register it with a notify_url.")
    return instance


def _rewind(cursors: QuerySet[Cursor], **columns: int | bool) -> int:
    # In the order in which registrations move cursors, to prevent a deadlock.
    list(cursors.select_for_update().order_by("pk").values_list("pk"))
    count = cursors.update(**columns, lease_until=0, attempts=0, next_attempt_at=0, is_stopped=False)
    transaction.on_commit(wakeups.wake_notifications)
    return count
