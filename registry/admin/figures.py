"""The figures of the dashboard: how late probes begin, and how far dependents are behind."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta

import redis
from django.db.models import Count, Min, Q

from config import escaping
from registry.health import leases, start_delay
from registry.health.start_delay import BOUNDS, Histogram
from registry.journal import log
from registry.models import Cursor, Delivery, Heartbeat, JournalEntry

# The minutes of the chart of delivery lags.
MINUTES = 60
MOST_DELIVERIES = 1000
MOST_FAILING = 10


@dataclass(frozen=True, kw_only=True)
class Probing:
    """`late_seconds` is for how long the most overdue probe waits; `delays` is None while Redis does not answer."""

    overdue: int
    late_seconds: float
    delays: Histogram | None


@dataclass(frozen=True, kw_only=True)
class FailingDependent:
    """A dependent whose webhooks are refused, or that answered 410 and is told nothing any more."""

    key: int
    service: str
    instance: str
    behind: int
    attempts: int
    is_stopped: bool
    error: str


@dataclass(frozen=True, kw_only=True)
class Delivering:
    """`oldest` is the first revision that some dependent has not been told of; None when all have been told.

    `lags` has, for each of the last MINUTES minutes, oldest first, the longest time in seconds from a change to its
    accepted webhook; None for a minute without any.
    """

    head: int
    oldest: int | None
    lag_seconds: float
    waiting: int
    failing: list[FailingDependent]
    failing_count: int
    lags: list[float | None]


def probing(*, now: datetime) -> Probing:
    at = now.timestamp()
    overdue = Heartbeat.objects.filter(leases.free(now=at), due_at__lt=at).aggregate(
        count=Count("pk"), first=Min("due_at")
    )
    try:
        delays = start_delay.read()
    except (redis.RedisError, OSError):
        delays = None
    return Probing(
        overdue=overdue["count"],
        late_seconds=0.0 if overdue["first"] is None else at - overdue["first"],
        delays=delays if delays and delays.count else None,
    )


def delivering(*, now: datetime) -> Delivering:
    head = log.head()
    behind = Q(scanned_revision__lt=head) | Q(needs_resync=True)
    cursors = Cursor.objects.aggregate(
        told=Min("scanned_revision", filter=Q(is_stopped=False)),
        waiting=Count("pk", filter=behind & Q(is_stopped=False)),
        failing=Count("pk", filter=_FAILING),
    )
    oldest = cursors["told"] + 1 if cursors["waiting"] and cursors["told"] is not None else None
    if oldest is not None and oldest > head:
        oldest = None
    waiting = JournalEntry.objects.filter(revision__gte=oldest).order_by("revision") if oldest else None
    entry = waiting.only("at").first() if waiting is not None else None
    return Delivering(
        head=head,
        oldest=oldest,
        lag_seconds=max(0.0, (now - entry.at).total_seconds()) if entry else 0.0,
        waiting=cursors["waiting"],
        failing=_failing(head),
        failing_count=cursors["failing"],
        lags=_lags(now=now),
    )


def delay_bounds() -> list[str]:
    """The buckets of `Probing.delays`, in words."""
    named = [f"{bound * 1000:g} ms" if bound < 1 else f"{bound:g} s" for bound in BOUNDS]
    return [*(f"at most {each}" for each in named), f"more than {named[-1]}"]


_FAILING = Q(attempts__gt=0) | Q(is_stopped=True)


def _failing(head: int) -> list[FailingDependent]:
    cursors = Cursor.objects.filter(_FAILING).select_related("instance").order_by("scanned_revision")[:MOST_FAILING]
    found = []
    for cursor in cursors:
        instance = cursor.instance
        last = Delivery.objects.filter(service=instance.service, instance=instance.name).first()
        found.append(
            FailingDependent(
                key=instance.pk,
                service=instance.service,
                instance=instance.name,
                behind=max(0, head - max(cursor.notified_revision, cursor.scanned_revision)),
                attempts=cursor.attempts,
                is_stopped=cursor.is_stopped,
                error=escaping.visible(last.error) if last else "",
            )
        )
    return found


def _lags(*, now: datetime) -> list[float | None]:
    since = now - timedelta(minutes=MINUTES)
    accepted = Delivery.objects.filter(at__gt=since, error="").order_by("-id")
    recent = list(accepted.values_list("at", "to_revision")[:MOST_DELIVERIES])
    entries = JournalEntry.objects.filter(revision__in={revision for _, revision in recent})
    changed_at = dict(entries.order_by().values_list("revision", "at"))
    longest: defaultdict[int, float] = defaultdict(float)
    for at, revision in recent:
        minute = int((at - since).total_seconds() // 60)
        if revision in changed_at:
            longest[minute] = max(longest[minute], (at - changed_at[revision]).total_seconds())
    return [longest.get(minute) for minute in range(MINUTES)]
