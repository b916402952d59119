"""Protection at work: its state in the database, what it holds back, and what it brings back."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db import transaction

from registry.database import bulk
from registry.health import mass_failure
from registry.health.leases import Due
from registry.health.mass_failure import Limits, State
from registry.journal import log
from registry.models import GOOD, Change, HeartbeatKind, Instance, Protection, Status
from registry.wire import bodies

# Sweeps come every second; after a gap so long one of ours was away: beat, Redis or the worker.
GAP_SECONDS = 5.0
# So long after the gap an instance that has not passed since is given the benefit of the doubt.
GRACE_SECONDS = 30.0
GRACE = "the registry was away itself, and has not found it passing since"
AUTHOR = "registry"


@dataclass(frozen=True, kw_only=True)
class Situation:
    """How protection stands, for people: times as datetimes, reasons in words."""

    is_active: bool
    since: datetime | None
    reason: str
    ends: str
    suspects: int
    grace_until: datetime | None


def situation(*, now: datetime) -> Situation:
    row = Protection.objects.filter(pk=1).first() or Protection()
    state, limits = _state(row), _limits()
    return Situation(
        is_active=state.is_active,
        since=_moment(state.since),
        reason=state.reason,
        ends=_what_ends_it(state, limits) if state.is_active else "",
        suspects=Instance.objects.filter(is_suspect=True).count(),
        grace_until=_moment(_grace_until(row, now.timestamp())),
    )


def lock() -> None:
    """Call it before anything else is locked, in a transaction that may come to `hold_back`."""
    _locked()


def keeps_all(*, now: datetime) -> bool:
    """Whether nothing is to be given up now."""
    row = Protection.objects.filter(pk=1).first() or Protection()
    return row.since is not None or _grace_until(row, now.timestamp()) is not None


@transaction.atomic
def hold_back(falls: Sequence[Due], *, is_cut_off: bool, now: datetime) -> dict[int, str]:
    """Which of the instances that are about to become critical stay offered, by id, and why."""
    row = _locked()
    before, at = _state(row), now.timestamp()
    graced = {due.instance_id for due in falls if _is_graced(row, due, at)}
    # What was held back before has been counted then.
    count = sum(not due.is_suspect and due.instance_id not in graced for due in falls)
    fleet = Instance.objects.filter(status__in=GOOD).count()
    state = mass_failure.see_canary(before, is_silent=is_cut_off, now=at)
    state = mass_failure.see_falls(state, count, fleet=fleet, limits=_limits(), now=at)
    _keep(row, state)
    if state.is_active:
        if not before.is_active:
            _bring_back(state.reason, now=now)
        return {due.instance_id: state.reason for due in falls}
    return dict.fromkeys(graced, GRACE)


@transaction.atomic
def tick(*, is_cut_off: bool, now: float) -> None:
    """The roll is being called: see whether it was not for a while, and whether protection is over."""
    row = _locked()
    if row.swept_at is not None and now - row.swept_at > GAP_SECONDS:
        row.resumed_at = now
    row.swept_at = now
    state = mass_failure.see_canary(_state(row), is_silent=is_cut_off, now=now)
    _keep(row, mass_failure.see_time(state, limits=_limits(), now=now))


@transaction.atomic
def end(*, now: datetime) -> bool:
    """An operator ends it, also the grace after a restart; False when there was none."""
    row = _locked()
    was_active = row.since is not None or _grace_until(row, now.timestamp()) is not None
    row.resumed_at = None
    _keep(row, mass_failure.end(_state(row), limits=_limits(), now=now.timestamp()))
    return was_active


def _bring_back(reason: str, *, now: datetime) -> None:
    """Offer again, as suspect, what fell just before: of the services that are left with less than half."""
    recent = now - timedelta(seconds=_limits().window)
    # An instance that beats by itself may have said itself that it is ill.
    fallen = list(
        Instance.objects.select_for_update(of=("self",))
        .filter(status=Status.CRITICAL, status_since__gte=recent, heartbeat__is_damped=False)
        .exclude(heartbeat_kind=HeartbeatKind.TTL)
        .order_by("pk")
    )
    lost = Counter(each.service for each in fallen)
    left = Counter(
        Instance.objects.order_by().filter(service__in=lost, status__in=GOOD).values_list("service", flat=True)
    )
    below = {name for name in lost if mass_failure.is_below_floor(offered=left[name], fallen=lost[name])}
    drafts = [_suspect(each, reason, now=now) for each in fallen if each.service in below]
    if drafts:
        bulk.write_statuses([draft.instance for draft in drafts])
        log.append(drafts, now=now)


def _suspect(instance: Instance, reason: str, *, now: datetime) -> log.Draft:
    before = bodies.offer_digest(instance)
    instance.status, instance.status_since, instance.is_suspect = Status.PASSING, now, True
    instance.status_reason = f"brought back because {reason}"[:500]
    return log.Draft(
        change=Change.SUSPECT, instance=instance, before=before, author=AUTHOR, reason=instance.status_reason
    )


def _limits() -> Limits:
    return Limits(share=settings.PROTECTION_PERCENT / 100)


def _what_ends_it(state: State, limits: Limits) -> str:
    assert state.since is not None
    quiet_at = datetime.fromtimestamp(state.stirred_at + limits.quiet, UTC)
    longest_at = datetime.fromtimestamp(state.since + limits.longest, UTC)
    return (
        f"It ends by itself when for {limits.quiet:g} s no further instance has failed and a canary answers, which is "
        f"at {quiet_at:%H:%M:%S} UTC if nothing more happens and at {longest_at:%H:%M:%S} UTC whatever happens; "
        "what fails still is then taken for dead."
    )


def _locked() -> Protection:
    Protection.objects.get_or_create(pk=1)
    return Protection.objects.select_for_update().get(pk=1)


def _state(row: Protection) -> State:
    return State(**{field.name: getattr(row, field.name) for field in fields(State)})


def _keep(row: Protection, state: State) -> None:
    for name, value in asdict(state).items():
        setattr(row, name, value)
    row.save()


def _grace_until(row: Protection, now: float) -> float | None:
    """When the grace after a restart of ours is over; None when there is none now."""
    until = None if row.resumed_at is None else row.resumed_at + GRACE_SECONDS
    return until if until is not None and now < until else None


def _is_graced(row: Protection, due: Due, now: float) -> bool:
    return _grace_until(row, now) is not None and (due.passed_at or 0.0) < (row.resumed_at or 0.0)


def _moment(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
