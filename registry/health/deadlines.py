"""Enforces deadlines: of maintenance, of draining, and of instances that stay critical."""

from datetime import datetime
from functools import partial

from registry.health import protection
from registry.instances import overrides, registration
from registry.models import Instance, InstanceKey, Status

AUTHOR = "registry"


def enforce(*, now: datetime) -> int:
    """Carry out every deadline that has passed; returns how many instances were deregistered.

    Nothing is given up while failures are probably our own fault.
    """
    overrides.expire(now=now)
    removed = 0
    for key in overrides.drained(now=now):
        still = partial(overrides.is_drained, now=now)
        removed += registration.deregister(key, author=AUTHOR, reason="drained", still=still, now=now)
    for instance in [] if protection.keeps_all(now=now) else given_up(now):
        reason = f"critical for longer than {instance.deregister_after_seconds:g} s"
        key = InstanceKey(service=instance.service, instance=instance.name)
        # Not final: the same run may recover and register again.
        still = partial(_is_given_up, now=now)
        removed += registration.deregister(key, author=AUTHOR, reason=reason, is_final=False, still=still, now=now)
    return removed


def given_up(now: datetime) -> list[Instance]:
    """The instances that have been critical for longer than they declared."""
    candidates = Instance.objects.filter(status=Status.CRITICAL, deregister_after_seconds__isnull=False)
    return [each for each in candidates if _is_given_up(each, now=now)]


def _is_given_up(instance: Instance, *, now: datetime) -> bool:
    """Whether its time is over. Never in maintenance, after which the time begins again."""
    patience = instance.deregister_after_seconds
    if patience is None or instance.status != Status.CRITICAL or instance.is_in_maintenance:
        return False
    since = max(instance.status_since, instance.overridden_since or instance.status_since)
    return (now - since).total_seconds() >= patience
