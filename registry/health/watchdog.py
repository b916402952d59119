"""Watches the background: its signs of life, and what is wrong with it.

The work itself leaves a sign, not the process: a worker that is up and does nothing leaves none.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from django.db.models import F, Min, Q

from config.clocks import SKEW_SECONDS
from registry.health import leases
from registry.journal import log
from registry.models import Cursor, Heartbeat, Instance, SignOfLife

# The work is done every second; after this time without it something is wrong.
STALE_SECONDS = 15.0
# A sign so far in the future was left before the clock was set back.
CLOCK_SECONDS = 2.0
SIGN_SECONDS = 3.0
# No claim of a webhook lasts this long, except one made by a clock that was ahead.
FAR_LEASE_SECONDS = 30.0


class Part(StrEnum):
    """A part of the registry that works in the background."""

    BEAT = "beat"
    HEARTBEATS = "heartbeats"
    # The results of probes have been written.
    PROBES = "probes"
    WEBHOOKS = "webhooks"


@dataclass(frozen=True, kw_only=True)
class Signs:
    """The signs of the background's work, in seconds since the epoch; None where there is none.

    `overdue_since` is since when the instance that waits longest has been due beyond an interval and a lease,
    `untold_since` since when the dependent that waits longest could have been told of a change.
    """

    beat_at: float | None
    heartbeats_at: float | None
    probes_at: float | None
    webhooks_at: float | None
    overdue_since: float | None
    overdue_instance: str
    oldest_due_at: float | None
    oldest_undelivered_revision: int | None
    untold_since: float | None
    has_instances: bool


class Signer:
    """Leaves the signs of one process, each at most every few seconds, since each is a commit."""

    def __init__(self, *, every_seconds: float = SIGN_SECONDS, clock: Callable[[], float] = time.monotonic) -> None:
        self._every_seconds = every_seconds
        self._clock = clock
        self._left_at: dict[Part, float] = {}

    def leave(self, part: Part, *, now: float) -> None:
        """Note that a part has just worked."""
        at = self._clock()
        if at - self._left_at.get(part, -self._every_seconds) < self._every_seconds:
            return
        # One statement, during which alone SQLite's other writers wait.
        sign = SignOfLife(part=part, at=now)
        SignOfLife.objects.bulk_create([sign], update_conflicts=True, unique_fields=["part"], update_fields=["at"])
        self._left_at[part] = at


def age_seconds(part: Part, *, now: float) -> float | None:
    """The seconds since a part last worked, as `age_of` counts them; None when it never did."""
    at = SignOfLife.objects.filter(pk=part).values_list("at", flat=True).first()
    return None if at is None else age_of(at, now=now)


def age_of(at: float, *, now: float) -> float:
    """The seconds since a sign was left; infinite where it lies in the future.

    The clock was set back since then, and nobody knows whether the part works now.
    """
    return math.inf if at - now > CLOCK_SECONDS else max(0.0, now - at)


def signs(*, now: float) -> Signs:
    """The current signs."""
    at = dict(SignOfLife.objects.values_list("part", "at"))
    free = Heartbeat.objects.filter(leases.free(now=now))
    patience = F("instance__interval_seconds") + F("instance__timeout_seconds") + leases.LEASE_MARGIN_SECONDS
    overdue = (
        free.filter(due_at__lte=now)
        .annotate(late_at=F("due_at") + patience)
        .filter(late_at__lte=now)
        .select_related("instance")
        .order_by("due_at")
        .first()
    )
    head = log.head()
    behind = Cursor.objects.filter(
        Q(scanned_revision__lt=head) | Q(needs_resync=True),
        # A delivery that was put off is due only since then.
        Q(next_attempt_at__lte=now - STALE_SECONDS) | Q(put_off_at__gt=now + SKEW_SECONDS),
        Q(lease_until__lte=now) | Q(lease_until__gt=now + FAR_LEASE_SECONDS),
        is_stopped=False,
    )
    oldest = behind.aggregate(first=Min("scanned_revision"))["first"]
    untold = None if oldest is None else log.page(after=oldest, limit=1)
    return Signs(
        beat_at=at.get(Part.BEAT),
        heartbeats_at=at.get(Part.HEARTBEATS),
        probes_at=at.get(Part.PROBES),
        webhooks_at=at.get(Part.WEBHOOKS),
        overdue_since=None if overdue is None else overdue.due_at,
        overdue_instance="" if overdue is None else str(overdue.instance),
        oldest_due_at=free.aggregate(first=Min("due_at"))["first"],
        oldest_undelivered_revision=None if oldest is None else oldest + 1,
        untold_since=untold[0].at.timestamp() if untold else None,
        has_instances=Instance.objects.exists(),
    )


def findings(*, now: datetime) -> list[str]:
    """The faults in the background's work, one sentence each, the gravest first; empty when all is well."""
    return judge(signs(now=now.timestamp()), now=now.timestamp())


def judge(found: Signs, *, now: float) -> list[str]:
    """The same as `findings`, from signs read before. Pure."""
    sentences = []
    if found.has_instances and _is_stale(found.heartbeats_at, now):
        sentences.append(
            "No instance has ever been probed: no heartbeats worker has begun."
            if found.heartbeats_at is None
            else f"No instance has been probed {_since(found.heartbeats_at, now)}: the heartbeats worker does nothing."
        )
    elif found.overdue_since is not None:
        sentences.append(
            f"{found.overdue_instance} was to be probed at {_clock(found.overdue_since)} and has not been: "
            "the heartbeats workers do not keep up."
        )
    if _is_stale(found.webhooks_at, now) and found.untold_since is not None and _is_stale(found.untold_since, now):
        since = _since(found.webhooks_at, now)
        sentences.append(f"No dependent has been told of a change {since}: the webhook worker does nothing.")
    elif found.untold_since is not None and now - found.untold_since > STALE_SECONDS:
        sentences.append(
            f"A dependent waits to be told of revision {found.oldest_undelivered_revision} since "
            f"{_clock(found.untold_since)}: the webhook workers do not keep up."
        )
    if found.has_instances and found.heartbeats_at is not None and _is_stale(found.beat_at, now):
        since = _since(found.beat_at, now)
        sentences.append(f"Beat has not ticked {since}: workers go by themselves, which is slower.")
    return sentences


def _is_stale(at: float | None, now: float) -> bool:
    """Whether it is too old, or lies in the future: the clock was set back, so that its age is unknown."""
    return at is None or age_of(at, now=now) > STALE_SECONDS


def _since(at: float | None, now: float) -> str:
    if at is None:
        return "yet"
    return "since the clock was set back" if at - now > CLOCK_SECONDS else f"since {_clock(at)}"


def _clock(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%H:%M:%S} UTC"
