"""The state of every service, and which one explains the others.

A service is down when no instance of it is offered. Of the services that are down, those that require no other one that
is down are the *causes*, and those that an operator has taken from the offer; whatever requires a cause, directly or
through others, is *affected* by it.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from webui.upstream.registry import Instance, Snapshot


class State(StrEnum):
    """Of a service: as its instances' statuses, and three more."""

    PASSING = "passing"
    WARNING = "warning"
    STARTING = "starting"
    MAINTENANCE = "maintenance"
    DRAINING = "draining"
    CRITICAL = "critical"
    # It serves, but an instance of it, or a service that it requires, does not.
    DEGRADED = "degraded"
    # Required by another service, but without any instance.
    MISSING = "not registered"

    @property
    def is_down(self) -> bool:
        return self in _DOWN


_OFFERED = frozenset({State.PASSING, State.WARNING})
_WITHDRAWN = frozenset({State.MAINTENANCE, State.DRAINING})
_DOWN = frozenset({State.CRITICAL, State.MISSING, *_WITHDRAWN})
_URGENCY = (
    *(State.CRITICAL, State.MISSING, State.DEGRADED, State.DRAINING, State.MAINTENANCE),
    *(State.WARNING, State.STARTING, State.PASSING),
)


@dataclass(frozen=True, kw_only=True)
class ServiceStatus:
    name: str
    state: State
    # When the service as a whole came into its state; None where the registry cannot know.
    since: datetime | None
    reason: str
    instances: tuple[Instance, ...]
    requires: tuple[str, ...]
    required_by: tuple[str, ...]
    # The services whose failure explains this one's state; none for a cause itself.
    causes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Cause:
    """A service that is down for no fault of another, and what it does to those that require it."""

    service: ServiceStatus
    also_down: tuple[str, ...]
    degraded: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Board:
    causes: tuple[Cause, ...]
    services: tuple[ServiceStatus, ...]

    @property
    def is_well(self) -> bool:
        return all(service.state is State.PASSING for service in self.services)


def judge(snapshot: Snapshot) -> Board:
    requires = {service.service: frozenset(service.requires) for service in snapshot.services}
    names = sorted(requires.keys() | frozenset().union(*requires.values()))
    own = {name: _own_state(snapshot.of(name)) for name in names}
    down = {name for name in names if own[name].is_down}
    withdrawn = {name for name in names if own[name] in _WITHDRAWN}
    causes = explain(requires, down, withdrawn)
    services = [_status(name, own[name], snapshot, requires, causes[name]) for name in names]
    # What needs attention comes first, and what explains the rest before the rest.
    services.sort(key=lambda service: (_URGENCY.index(service.state), bool(service.causes), service.name))
    return Board(causes=_causes(services), services=tuple(services))


def explain(
    requires: Mapping[str, frozenset[str]], down: set[str], withdrawn: Collection[str] = frozenset()
) -> dict[str, tuple[str, ...]]:
    """For every service, the causes among what it requires; empty for one that is a cause itself.

    Services that are down and require each other in a circle explain one another: each of them is a cause. `withdrawn`
    are those that are down by an operator's word, which needs no other explanation.
    """
    names = requires.keys() | frozenset().union(*requires.values()) | down
    leading = {name: needed for name, needed in requires.items() if name not in withdrawn}
    down_below = {name: reach(leading, name) & down for name in names}
    causes = {name for name in down if all(name in down_below[other] for other in down_below[name])}
    return {name: () if name in causes else tuple(sorted(down_below[name] & causes)) for name in names}


def reach(requires: Mapping[str, frozenset[str]], service: str) -> set[str]:
    """All that the service requires, directly or through others; itself only when it is in a circle."""
    reached: set[str] = set()
    ahead = set(requires.get(service, ()))
    while ahead:
        name = ahead.pop()
        if name not in reached:
            reached.add(name)
            ahead |= requires.get(name, frozenset())
    return reached


def down_since(snapshot: Snapshot, service: str) -> datetime | None:
    """Since when no instance of the service is offered; None while one is, or where the registry cannot know."""
    instances = snapshot.of(service)
    if not _own_state(instances).is_down:
        return None
    if instances:
        return max(instance.status_since for instance in instances)
    left = (entry.at for entry in snapshot.entries if (entry.service, entry.change) == (service, "deregistered"))
    return next(left, None)


def _status(
    name: str, own: State, snapshot: Snapshot, requires: Mapping[str, frozenset[str]], causes: tuple[str, ...]
) -> ServiceStatus:
    instances = snapshot.of(name)
    state = State.DEGRADED if own in _OFFERED and causes else own
    return ServiceStatus(
        name=name,
        state=state,
        since=_since(name, own, snapshot, causes),
        reason=_reason(state, instances, causes),
        instances=tuple(sorted(instances, key=lambda instance: instance.instance)),
        requires=tuple(sorted(requires.get(name, ()))),
        required_by=tuple(sorted(other for other, needed in requires.items() if name in needed)),
        causes=causes,
    )


def _since(name: str, own: State, snapshot: Snapshot, causes: tuple[str, ...]) -> datetime | None:
    """A service is up since its first instance came, down since its last one went."""
    if own.is_down:
        return down_since(snapshot, name)
    if causes:
        return min(filter(None, (down_since(snapshot, cause) for cause in causes)), default=None)
    decisive = State.CRITICAL if own is State.DEGRADED else own
    return min((each.status_since for each in snapshot.of(name) if each.status == decisive), default=None)


def _own_state(instances: Iterable[Instance]) -> State:
    statuses = {instance.status for instance in instances}
    if statuses & _OFFERED:
        worst_first: tuple[State, ...] = (State.CRITICAL, State.WARNING, State.PASSING)
        worst = next(state for state in worst_first if state in statuses)
        return State.DEGRADED if worst is State.CRITICAL else worst
    known = (State.CRITICAL, State.MAINTENANCE, State.DRAINING, State.STARTING)
    return next((state for state in known if state in statuses), State.STARTING if statuses else State.MISSING)


def _reason(state: State, instances: tuple[Instance, ...], causes: tuple[str, ...]) -> str:
    """Why, in the registry's words where it has any; what passes needs none."""
    if state is State.MISSING:
        return "required, but no instance of it is registered"
    if state is State.DEGRADED and not causes:
        critical = sum(instance.status == State.CRITICAL for instance in instances)
        return f"{critical} of {len(instances)} instances critical"
    if state in (State.PASSING, State.DEGRADED):
        return ""
    return next((instance.status_reason for instance in instances if instance.status == state), "")


def _causes(services: Sequence[ServiceStatus]) -> tuple[Cause, ...]:
    return tuple(
        Cause(service=cause, also_down=_affected(cause, services, down=True), degraded=_affected(cause, services))
        for cause in services
        if cause.state.is_down and not cause.causes
    )


def _affected(cause: ServiceStatus, services: Sequence[ServiceStatus], *, down: bool = False) -> tuple[str, ...]:
    return tuple(other.name for other in services if cause.name in other.causes and other.state.is_down is down)
