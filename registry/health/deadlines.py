"""Enforces deadlines: of maintenance, of draining, and of instances that stay critical."""

from datetime import datetime, timedelta
from functools import partial

from django.db import transaction
from django.db.models import Q

from config.clocks import SKEW
from registry.database import bulk, rows
from registry.health import protection
from registry.instances import overrides, registration
from registry.journal import log
from registry.models import DRAINING, GOOD, Change, Instance, InstanceKey, Status
from registry.wire import bodies

AUTHOR = "registry"
SET_BACK = "the clock was set back: its time begins anew"
# By SQL, as each sweep asks, which mostly finds none.
_MAY_BE_GIVEN_UP = f"""
    status = %s AND deregister_after_seconds IS NOT NULL AND id NOT IN (
        SELECT instance_id FROM registry_heartbeat WHERE is_damped AND verdict IN ({", ".join(["%s"] * len(GOOD))})
    )
"""  # noqa: S608 -- what is put in are placeholders


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


def begin_anew(*, now: datetime) -> int:
    """Count drains and falls from now that began in the future; returns how many.

    A clock was ahead then and has been set back since, by as much as they would last longer.
    """
    far = now + SKEW
    drains = DRAINING & Q(is_in_maintenance=False, overridden_since__gt=far)
    begun = Q(status_since__gt=far) | Q(overridden_since__gt=far)
    falls = Q(status=Status.CRITICAL, deregister_after_seconds__isnull=False) & begun
    ahead = Instance.objects.filter(drains | falls)
    if not ahead.exists():
        return 0
    drafts = []
    with transaction.atomic():
        for each in ahead.select_for_update().order_by("pk"):
            before = bodies.offer_digest(each)
            if each.draining_until is not None and each.overridden_since is not None:
                each.draining_until -= max(each.overridden_since - now, timedelta(0))
            each.status_since = min(each.status_since, now)
            each.overridden_since = each.overridden_since and min(each.overridden_since, now)
            draft = log.Draft(change=Change.CHANGED, instance=each, before=before, author=AUTHOR, reason=SET_BACK)
            drafts.append(draft)
        if drafts:
            bulk.write_instances(
                [draft.instance for draft in drafts], ["draining_until", "status_since", "overridden_since"]
            )
            log.append(drafts, now=now)
    return len(drafts)


def given_up(now: datetime) -> list[Instance]:
    """The instances that have been critical for longer than they declared.

    An instance that passes its probes, and is held critical for changing too often, lives.
    """
    found = rows.instances(_MAY_BE_GIVEN_UP, [Status.CRITICAL.value, *(status.value for status in GOOD)], order="id")
    return [each for each in found if _is_given_up(each, now=now)]


def _is_given_up(instance: Instance, *, now: datetime) -> bool:
    """Whether its time is over. Never in maintenance, after which the time begins again."""
    patience = instance.deregister_after_seconds
    if patience is None or instance.status != Status.CRITICAL or instance.is_in_maintenance:
        return False
    since = max(instance.status_since, instance.overridden_since or instance.status_since)
    return (now - since).total_seconds() >= patience
