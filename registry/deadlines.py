"""What ends by itself: maintenance, draining, and the patience with what stays critical."""

from datetime import datetime

from django.db import transaction

from registry import guard, overrides, registration
from registry.declaration import Target
from registry.models import Instance, Status

AUTHOR = "registry"


def enforce(*, now: datetime) -> int:
    """Carry out every deadline that has passed; returns how many instances were deregistered.

    While failures are probably our own fault nothing is given up.
    """
    overrides.expire(now=now)
    removed = 0
    for target in overrides.drained(now=now):
        removed += registration.deregister(target, author=AUTHOR, reason="drained", now=now)
    for instance_id in [] if guard.keeps_all(now=now) else _overdue(now):
        removed += _give_up(instance_id, now=now)
    return removed


def _overdue(now: datetime) -> list[int]:
    critical = Instance.objects.order_by("pk").filter(status=Status.CRITICAL, deregister_after_seconds__isnull=False)
    found = critical.values_list("pk", "status_since", "deregister_after_seconds")
    return [pk for pk, since, patience in found if _is_over(since, patience, now)]


@transaction.atomic
def _give_up(instance_id: int, *, now: datetime) -> bool:
    # Looked at again on purpose: a heartbeat, or protection, may have brought it back meanwhile.
    instance = Instance.objects.select_for_update().filter(pk=instance_id, status=Status.CRITICAL).first()
    if instance is None or not _is_over(instance.status_since, instance.deregister_after_seconds, now):
        return False
    reason = f"critical for longer than {instance.deregister_after_seconds:g} s"
    target = Target(service=instance.service, instance=instance.name)
    # Not final: the same run may be well again tomorrow.
    return registration.deregister(target, author=AUTHOR, reason=reason, is_final=False, now=now)


def _is_over(since: datetime, patience_seconds: float | None, now: datetime) -> bool:
    return patience_seconds is not None and (now - since).total_seconds() >= patience_seconds
