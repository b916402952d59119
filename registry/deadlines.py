"""What ends by itself: maintenance, draining, and the patience with what stays critical."""

from datetime import datetime

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
    for instance in [] if guard.keeps_all(now=now) else _given_up(now):
        reason = f"critical for longer than {instance.deregister_after_seconds:g} s"
        target = Target(service=instance.service, instance=instance.name)
        # Not final: the same run may be well again tomorrow.
        removed += registration.deregister(target, author=AUTHOR, reason=reason, is_final=False, now=now)
    return removed


def _given_up(now: datetime) -> list[Instance]:
    candidates = Instance.objects.filter(status=Status.CRITICAL, deregister_after_seconds__isnull=False)
    return [
        each
        for each in candidates
        if each.deregister_after_seconds is not None
        and (now - each.status_since).total_seconds() >= each.deregister_after_seconds
    ]
