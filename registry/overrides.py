"""An operator's word over the heartbeats': maintenance and draining. Both end by themselves."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from django.db import transaction
from django.db.models import Q, QuerySet

from config.problems import Invalid
from registry import journal, representation, wakeups
from registry.declaration import Target
from registry.errors import UnknownInstance
from registry.models import Change, Instance, Maintenance

EXPIRED = "its time is over"


def begin_maintenance(
    service: str, instance: str = "", *, until: datetime | None, reason: str, author: str, now: datetime
) -> Maintenance:
    """Stop offering an instance, or with no instance named all of a service, also those that register later.

    Holds through heartbeats, restarts and registrations until `until` or until it is lifted. Raises Invalid.
    """
    _check(until)
    with transaction.atomic():
        maintenance, _ = Maintenance.objects.update_or_create(
            service=service,
            instance=instance,
            defaults={"until": until, "reason": reason, "author": author, "since": now},
        )
        _apply(_affected(service, instance), author=author, reason=reason, now=now)
    return maintenance


def _check(until: datetime | None) -> None:
    """The first and the last hours of all time exist in some zones only."""
    try:
        if until is not None:
            until.astimezone(UTC)
    except OverflowError as error:
        raise Invalid("`until` is no time that can be kept: give one of these centuries.") from error


@transaction.atomic
def end_maintenance(service: str, instance: str = "", *, reason: str = "", author: str, now: datetime) -> bool:
    """Lift it; False when there was none."""
    removed, _ = Maintenance.objects.filter(service=service, instance=instance).delete()
    if removed:
        _apply(_affected(service, instance), author=author, reason=reason, now=now)
    return bool(removed)


@transaction.atomic
def drain(target: Target, *, seconds: float, reason: str, author: str, now: datetime) -> Instance:
    """Stop offering an instance that still serves; it is deregistered after `seconds`. Raises UnknownInstance."""
    instance = Instance.objects.select_for_update().filter(service=target.service, name=target.instance).first()
    if instance is None:
        raise UnknownInstance(target.service, target.instance)
    before = representation.offer_digest(instance)
    instance.draining_until = now + timedelta(seconds=seconds)
    instance.save(update_fields=["draining_until"])
    draft = journal.Draft(change=Change.DRAINING, instance=instance, before=before, author=author, reason=reason)
    journal.append([draft], now=now)
    transaction.on_commit(wakeups.wake_notifications)
    return instance


def holds(target: Target, *, now: datetime) -> bool:
    """Whether a maintenance holds for this instance, registered or not."""
    return _holding(now).filter(service=target.service, instance__in=["", target.instance]).exists()


def held(*, now: datetime) -> set[tuple[str, str]]:
    """The services and instances that are in maintenance now, a whole service with an empty instance."""
    return set(_holding(now).values_list("service", "instance"))


def expire(*, now: datetime) -> int:
    """End what has run out; returns how many maintenances ended."""
    ended = list(Maintenance.objects.filter(until__lte=now))
    for each in ended:
        end_maintenance(each.service, each.instance, reason=EXPIRED, author=each.author, now=now)
    return len(ended)


def drained(*, now: datetime) -> list[Target]:
    """The instances whose time to drain is over."""
    found = Instance.objects.filter(draining_until__lte=now).values_list("service", "name")
    return [Target(service=service, instance=name) for service, name in found]


def _affected(service: str, instance: str) -> QuerySet[Instance]:
    named = Q(service=service, name=instance) if instance else Q(service=service)
    return Instance.objects.select_for_update().filter(named).order_by("pk")


def _apply(instances: Iterable[Instance], *, author: str, reason: str, now: datetime) -> None:
    """Bring each instance's mark in line with the maintenances that hold, and journal those that changed."""
    drafts = []
    for instance in instances:
        is_held = holds(Target(service=instance.service, instance=instance.name), now=now)
        if is_held == instance.is_in_maintenance:
            continue
        before = representation.offer_digest(instance)
        instance.is_in_maintenance = is_held
        instance.save(update_fields=["is_in_maintenance"])
        change = Change.MAINTENANCE if is_held else Change.MAINTENANCE_ENDED
        drafts.append(journal.Draft(change=change, instance=instance, before=before, author=author, reason=reason))
    if drafts:
        journal.append(drafts, now=now)
        transaction.on_commit(wakeups.wake_notifications)


def _holding(now: datetime) -> QuerySet[Maintenance]:
    return Maintenance.objects.filter(Q(until__isnull=True) | Q(until__gt=now))
