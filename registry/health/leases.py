"""Claims probes. A claim is a lease: when its worker dies, the lease runs out and another worker takes over."""

from collections.abc import Collection, Sequence
from typing import Any

from django.db import connection, transaction
from django.db.models import Case, F, FloatField, OuterRef, Q, Subquery, Value, When
from django.db.models.functions import Random

from config.clocks import SKEW_SECONDS
from registry.database import rows, statements
from registry.health.probe import Due
from registry.models import Heartbeat, HeartbeatKind, Instance, InstanceKey

# The time beyond the probe's own timeout, to write its result.
LEASE_MARGIN_SECONDS = 5.0
# Probes that fall due later are not claimed yet.
MOST_AHEAD_SECONDS = 2.5
# A lease that ends later than this beyond the probe's timeout was given by a clock that was ahead.
FAR_LEASE_SECONDS = MOST_AHEAD_SECONDS + LEASE_MARGIN_SECONDS + SKEW_SECONDS
# A probe that is due later than this beyond its interval was put off by one.
FAR_DUE_SECONDS = 2 * SKEW_SECONDS
RELEASED_AT_ONCE = 2000

_HEARTBEAT = (
    "instance_id",
    "due_at",
    "passed_at",
    "verdict",
    "failures",
    "successes",
    "penalty",
    "penalty_at",
    "is_damped",
)
# The columns of an instance that are named otherwise in Due.
_RENAMED = {"instance": "name", "kind": "heartbeat_kind", "url": "heartbeat_url"}
# When a lease given now runs out: one expression, for storing it and for returning it.
_LEASE_UNTIL = "%s + declared.timeout_seconds"
# `free`, for a claim's statement.
_IS_FREE = "(heartbeat.lease_until <= %s OR heartbeat.lease_until > %s + declared.timeout_seconds)"


def _source(field: str) -> str:
    """The SQL that yields a field of Due."""
    if field == "lease_until":
        return _LEASE_UNTIL
    return f"heartbeat.{field}" if field in _HEARTBEAT else f"declared.{_RENAMED.get(field, field)}"


# In the order of Due's fields.
_COLUMNS = ", ".join(f"{_source(field)} AS {field}" for field in Due._fields)
# The same with the stored lease instead of a new one.
_STANDING = ", ".join("heartbeat.lease_until" if field == "lease_until" else _source(field) for field in Due._fields)


def claim(*, now: float, limit: int, ahead: float = 0.0) -> list[Due]:
    """Claim up to `limit` probes that are due within `ahead` seconds, longest overdue first."""
    chosen = f"heartbeat.due_at <= %s AND {_IS_FREE} ORDER BY heartbeat.due_at LIMIT %s"
    return _claim(chosen, [now + ahead, now, now + FAR_LEASE_SECONDS, limit], starts_by=now + ahead)


def claim_now(instance_ids: Collection[int], *, now: float) -> list[Due]:
    """Claim these instances to be probed at once, except those that are claimed already."""
    among, ids = rows.among("heartbeat.instance_id", instance_ids)
    found = _claim(f"{among} AND {_IS_FREE}", [ids, now, now + FAR_LEASE_SECONDS], starts_by=now)
    return [due._replace(due_at=min(due.due_at, now)) for due in found]


def free(*, now: float) -> Q:
    """Heartbeats that are not claimed: the lease is over, or lasts longer than a lease can."""
    far = F("instance__timeout_seconds") + now + FAR_LEASE_SECONDS
    return Q(lease_until__lte=now) | Q(lease_until__gt=far)


def due_of(heartbeat: Heartbeat) -> Due:
    """The claim of a caller that has locked the row."""
    fields = {field: getattr(heartbeat, field) for field in (*_HEARTBEAT, "lease_until")}
    declared = heartbeat.instance
    others = (field for field in Due._fields if field not in fields)
    return Due(**fields, **{field: getattr(declared, _RENAMED.get(field, field)) for field in others})


def beating(keys: Sequence[InstanceKey]) -> dict[InstanceKey, Due]:
    """The current heartbeats of these instances, locked until the transaction ends."""
    pairs = [(key.service, key.instance) for key in keys]
    condition, parameters = rows.among_pairs("(declared.service, declared.name)", pairs)
    lock = ""
    if connection.vendor == "postgresql":
        # All instances before the first heartbeat: the order of all writers.
        list(rows.named(pairs, order="id", locked=True))
        lock = "FOR UPDATE OF heartbeat"
    found = statements.fetch(
        f"""
        SELECT {_STANDING} FROM registry_heartbeat heartbeat
        JOIN registry_instance declared ON declared.id = heartbeat.instance_id
        WHERE {condition} ORDER BY declared.id {lock}
        """,  # noqa: S608 -- what is put in are constants and placeholders
        parameters,
    )
    dues = map(Due._make, found)
    return {InstanceKey(service=due.service, instance=due.instance): due for due in dues}


def release_far(*, now: float) -> int:
    """Bring forward probes that are due later than their interval allows; returns how many.

    A clock that was ahead has put them off, and has been set back since. They are spread over the interval; an instance
    that beats gets a whole one to do so.
    """
    # The first condition is the index's: most intervals are short.
    far = Heartbeat.objects.filter(due_at__gt=now + FAR_DUE_SECONDS).filter(
        due_at__gt=F("instance__interval_seconds") + now + FAR_DUE_SECONDS
    )
    if not far.exists():
        return 0
    interval = Subquery(Instance.objects.filter(pk=OuterRef("pk")).values("interval_seconds"))
    beating = Instance.objects.filter(heartbeat_kind=HeartbeatKind.TTL)
    share = Case(When(instance__in=beating, then=Value(1.0)), default=Random(), output_field=FloatField())
    with transaction.atomic():
        # Others may hold some, whose times they are about to set.
        found = far.select_for_update(of=("self",), skip_locked=True).values_list("pk", flat=True)
        ids = list(found[:RELEASED_AT_ONCE])
        return Heartbeat.objects.filter(pk__in=ids).update(due_at=now + interval * share, lease_until=0)


@transaction.atomic
def _claim(chosen: str, parameters: Sequence[Any], *, starts_by: float) -> list[Due]:
    skip_locked = "FOR UPDATE OF heartbeat SKIP LOCKED" if connection.vendor == "postgresql" else ""
    base = starts_by + LEASE_MARGIN_SECONDS
    found = statements.fetch(
        f"""
        SELECT {_COLUMNS} FROM registry_heartbeat heartbeat
        JOIN registry_instance declared ON declared.id = heartbeat.instance_id
        WHERE {chosen} {skip_locked}
        """,  # noqa: S608 -- what is put in are constants and placeholders
        [base, *parameters],
    )
    claimed = list(map(Due._make, found))
    if claimed:
        among, ids = rows.among("instance_id", [due.instance_id for due in claimed])
        statements.fetch(
            f"""
            UPDATE registry_heartbeat SET lease_until = (
                SELECT {_LEASE_UNTIL} FROM registry_instance declared WHERE declared.id = instance_id
            ) WHERE {among}
            """,  # noqa: S608 -- what is put in are constants of ours
            [base, ids],
        )
    return claimed
