"""Applies protection: its state in the database, what it holds back, and what it brings back."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Q, QuerySet

from registry.database import bulk
from registry.health import mass_failure
from registry.health.mass_failure import Limits, Member, State
from registry.health.probe import Due, Finding, Result
from registry.journal import log
from registry.models import GOOD, Change, Fall, Heartbeat, HeartbeatKind, Instance, Protection, Status
from registry.wire import bodies

# Sweeps come every second; a gap this long means that beat, Redis or the worker was away.
GAP_SECONDS = 5.0
# The time after the gap in which an instance that has not passed since gets the benefit of the doubt.
GRACE_SECONDS = 30.0
# A further gap within this time begins no other grace: on a machine that is always late it would never end.
GRACE_AGAIN_SECONDS = 120.0
_BEATING = Q(instance__heartbeat_kind=HeartbeatKind.TTL)
GRACE = "the registry was away itself, and has not found it passing since"
# An instance counts in the fleet, standing or fallen, only when it has been registered for this long.
ESTABLISHED_SECONDS = 120.0
AUTHOR = "registry"


@dataclass(frozen=True, kw_only=True)
class Situation:
    """The state of protection for people: times as datetimes, reasons in words."""

    is_active: bool
    since: datetime | None
    reason: str
    ends: str
    suspects: int
    grace_until: datetime | None


def situation(*, now: datetime) -> Situation:
    row = Protection.objects.filter(pk=1).first() or Protection()
    state, limits = _state(row, now.timestamp()), _limits()
    return Situation(
        is_active=state.is_active,
        since=_moment(state.since),
        reason=state.reason,
        ends=_what_ends_it(state, limits) if state.is_active else "",
        suspects=Instance.objects.filter(is_suspect=True).count(),
        grace_until=_moment(_grace_until(row, now.timestamp())),
    )


def lock() -> None:
    """Lock protection's state. Call it before anything else is locked, in a transaction that may `hold_back`."""
    _locked()


def keeps_all(*, now: datetime) -> bool:
    """Whether no instance may be given up now."""
    row = Protection.objects.filter(pk=1).first() or Protection()
    return row.since is not None or _grace_until(row, now.timestamp()) is not None


@transaction.atomic
def hold_back(falls: Sequence[Result], *, is_cut_off: bool, now: datetime) -> dict[int, str]:
    """The instances about to become critical that stay offered, by id, and why.

    A process that was seen to close its connection and to refuse the next is dead, whatever else fails, unless our own
    network is down: such a fall is neither held back nor counted.
    """
    row = _locked()
    before, limits, at = _state(row, now.timestamp()), _limits(), now.timestamp()
    doubtful = [fall.due for fall in falls if is_cut_off or fall.finding is not Finding.DEAD]
    graced = _graced(row, doubtful, at)
    # Instances that were held back before have been counted.
    new = [due for due in doubtful if not due.is_suspect and due.instance_id not in graced]
    _count(new, now=now)
    counted = Fall.objects.filter(at__gte=at - limits.window).order_by("pk")
    recent = [Member(*found) for found in counted.values_list(*Member._fields)]
    state = mass_failure.see_canary(before, is_silent=is_cut_off, now=at)
    if new and (state.is_active or len(recent) > limits.least):
        state = mass_failure.see_falls(state, recent, [*_fleet(now=now), *recent], limits=limits, now=at)
    _keep(row, state)
    if state.is_active:
        if not before.is_active:
            _bring_back(state.reason, now=now)
        return {due.instance_id: state.reason for due in doubtful}
    return dict.fromkeys(graced, GRACE)


@transaction.atomic
def tick(*, is_cut_off: bool, now: float) -> None:
    """Begin a sweep: note a gap before it, and whether protection is over."""
    row = _locked()
    has_gap = row.swept_at is not None and now - row.swept_at > GAP_SECONDS
    # One that begins in the future is of before the clock was set back.
    if has_gap and (row.resumed_at is None or not 0 <= now - row.resumed_at < GRACE_AGAIN_SECONDS):
        row.resumed_at = now
    row.swept_at = now
    state = mass_failure.see_canary(_state(row, now), is_silent=is_cut_off, now=now)
    _keep(row, mass_failure.see_time(state, limits=_limits(), now=now))


@transaction.atomic
def end(*, now: datetime) -> bool:
    """End protection and the grace after a restart, for an operator; False when there was neither."""
    row = _locked()
    was_active = row.since is not None or _grace_until(row, now.timestamp()) is not None
    row.resumed_at = None
    _keep(row, mass_failure.end(limits=_limits(), now=now.timestamp()))
    return was_active


def _count(falling: Sequence[Due], *, now: datetime) -> None:
    """Store the falls of established instances for a window; a falling instance still stands at this point."""
    Fall.objects.filter(at__lt=now.timestamp() - _limits().window).delete()
    # Set back, the clock leaves falls in its future: they count as of now.
    Fall.objects.filter(at__gt=now.timestamp()).update(at=now.timestamp())
    established = _established(now=now).filter(pk__in=[due.instance_id for due in falling])
    Fall.objects.bulk_create(
        [
            Fall(
                instance_id=each.pk,
                at=now.timestamp(),
                token=each.registered_by,
                service=each.service,
                host=urlsplit(each.heartbeat_url).hostname or "",
            )
            for each in established
        ],
        update_conflicts=True,
        unique_fields=["instance_id"],
        update_fields=["at"],
    )


def _fleet(*, now: datetime) -> list[Member]:
    """The established instances that stand and were not just counted as fallen."""
    standing = _established(now=now).filter(status__in=GOOD).exclude(pk__in=Fall.objects.values("instance_id"))
    found = standing.order_by("pk").values_list("registered_by", "service", "heartbeat_url")
    return [
        Member(token=token, service=service, host=urlsplit(url).hostname or "")
        for token, service, url in found.iterator()
    ]


def _established(*, now: datetime) -> QuerySet[Instance]:
    """The instances that we probe and have known for a while: others can be made at will and prove nothing."""
    since = now - timedelta(seconds=ESTABLISHED_SECONDS)
    return Instance.objects.filter(registered_at__lte=since).exclude(heartbeat_kind=HeartbeatKind.TTL)


def _bring_back(reason: str, *, now: datetime) -> None:
    """Offer again, as suspect, instances that fell just before, of services left with less than half."""
    recent = now - timedelta(seconds=_limits().window)
    # A `ttl` instance may have reported its failure itself; one that was not counted was seen dead.
    fallen = list(
        Instance.objects.select_for_update(of=("self",))
        .filter(status=Status.CRITICAL, status_since__gte=recent, heartbeat__is_damped=False)
        .filter(pk__in=Fall.objects.values("instance_id"))
        .exclude(heartbeat_kind=HeartbeatKind.TTL)
        .order_by("pk")
    )
    lost = Counter(each.service for each in fallen)
    left = Counter(
        Instance.objects.order_by().filter(service__in=lost, status__in=GOOD).values_list("service", flat=True)
    )
    below = {name for name in lost if mass_failure.is_below_floor(offered=left[name], fallen=lost[name])}
    drafts = []
    for each in fallen:
        if each.service in below:
            before = bodies.offer_digest(each)
            each.status, each.status_since, each.is_suspect = Status.PASSING, now, True
            each.status_reason = f"brought back because {reason}"[:500]
            drafts.append(
                log.Draft(change=Change.SUSPECT, instance=each, before=before, author=AUTHOR, reason=each.status_reason)
            )
    if drafts:
        bulk.write_statuses([draft.instance for draft in drafts])
        log.append(drafts, now=now)


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
    locked = Protection.objects.select_for_update()
    if (row := locked.filter(pk=1).first()) is not None:
        return row
    Protection.objects.get_or_create(pk=1)
    return locked.get(pk=1)


def _state(row: Protection, now: float) -> State:
    stored = State(**{field.name: getattr(row, field.name) for field in fields(State)})
    return mass_failure.within(stored, limits=_limits(), now=now)


def _keep(row: Protection, state: State) -> None:
    for name, value in asdict(state).items():
        setattr(row, name, value)
    row.save()


def _grace_until(row: Protection, now: float) -> float | None:
    """The end of the grace after our own restart; None when there is none now."""
    if row.resumed_at is None:
        return None
    until = row.resumed_at + GRACE_SECONDS
    # One that begins in the future is of before the clock was set back.
    return until if row.resumed_at <= now < until else None


def _graced(row: Protection, falling: Sequence[Due], now: float) -> set[int]:
    """The falling instances whose failure is doubted, as they have not passed since a pause of ours.

    When most of the others of the same kind have passed since, the fault is not ours any more, and failures are their
    own: probes show that our network is well, and beats that the server takes them again, which may be later than a
    worker probes. An instance that beats is doubted until it has had an interval to do so.
    """
    until = _grace_until(row, now)
    if until is None or row.resumed_at is None:
        return set()
    resumed_at = row.resumed_at
    unseen = [due for due in falling if (due.passed_at or 0.0) < resumed_at]
    beating = [due for due in unseen if due.kind == HeartbeatKind.TTL]
    probed = [due for due in unseen if due.kind != HeartbeatKind.TTL]
    graced = {due.instance_id for due in beating if now < resumed_at + due.interval_seconds}
    for kind, silent in ((_BEATING, beating), (~_BEATING, probed)):
        if silent and not _have_most_passed(kind, resumed_at, falling=silent):
            graced.update(due.instance_id for due in silent)
    return graced


def _have_most_passed(kind: Q, resumed_at: float, *, falling: Sequence[Due]) -> bool:
    others = Heartbeat.objects.filter(kind, instance__status__in=GOOD).exclude(
        pk__in=[due.instance_id for due in falling]
    )
    found = others.aggregate(all=Count("pk"), passed=Count("pk", filter=Q(passed_at__gte=resumed_at)))
    return bool(2 * found["passed"] > found["all"] + len(falling))


def _moment(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
