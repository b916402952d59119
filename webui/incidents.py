"""Incidents: one for each cause that the registry names, from the time it was noticed until it is over."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from webui.board import Board, State
from webui.models import Incident, Severity

REGISTRY = "registry"
# An incident that is over sooner causes no message.
CONFIRMED_AFTER = timedelta(seconds=20)
# Once this many incidents have begun within this time, further ones are gathered in one, to avoid a flood of messages.
MOST_APART = 5
APART = timedelta(minutes=5)
RETENTION = timedelta(days=90)


@dataclass(frozen=True, kw_only=True)
class Trouble:
    """A fault that one service has now by itself; `together` names the services of the same cause."""

    state: State
    severity: Severity
    reason: str = ""
    affected: tuple[str, ...] = ()
    together: tuple[str, ...] = ()


def troubles(board: Board) -> dict[str, Trouble]:
    """The troubles by service. A service that an operator took from the offer, or that is only starting, has none."""
    found = {}
    for cause in board.causes:
        for row in cause.services:
            if row.state in (State.CRITICAL, State.MISSING):
                found[row.name] = Trouble(
                    state=row.state,
                    severity=Severity.CRITICAL,
                    reason=row.service.status_reason,
                    affected=(*cause.also_down, *cause.degraded),
                    together=cause.names,
                )
    for row in board.rows:
        if row.state in (State.DEGRADED, State.WARNING) and not row.causes:
            found[row.name] = Trouble(state=row.state, severity=Severity.WARNING, reason=row.service.status_reason)
    return found


def registry_is_away(reason: str) -> dict[str, Trouble]:
    return {REGISTRY: Trouble(state=State.CRITICAL, severity=Severity.CRITICAL, reason=reason)}


@transaction.atomic
def record(found: Mapping[str, Trouble], *, now: datetime, is_whole: bool = True) -> None:
    """Begin, go on with, and end incidents. Where `found` is not the whole picture, none of the others ends.

    A service stays with its incident while it is in trouble; what comes to the same cause joins it.
    """
    # The clock may have been set back since one began.
    Incident.objects.filter(ended_at=None, began_at__gt=now).update(began_at=now)
    lasting: list[Incident] = []
    held: dict[str, Incident] = {}
    for incident in Incident.objects.filter(ended_at=None):
        known = [name for name in incident.services if name in found]
        # An incident that gets worse, or better but not well, is told of again.
        still = [name for name in known if found[name].severity == incident.severity]
        if still:
            incident.services = still
            held |= dict.fromkeys(still, incident)
            lasting.append(incident)
        elif known or is_whole:
            _end(incident, now=now)
    fresh: dict[tuple[str, ...], list[str]] = {}
    for name, trouble in found.items():
        if name not in held:
            fresh.setdefault(trouble.together or (name,), []).append(name)
    recent = Incident.objects.filter(began_at__gt=now - APART).count()
    are_many = recent + len(fresh) > MOST_APART
    for together, names in fresh.items():
        trouble = found[names[0]]
        same = (held[name] for name in together if name in held and held[name].severity == trouble.severity)
        joined = next(same, None) or (_untold(lasting, trouble) if are_many else None)
        if joined is None:
            joined = Incident(began_at=now, severity=trouble.severity, state=trouble.state)
            joined.services = _most_affecting(names, found)
            lasting.append(joined)
        else:
            joined.services = [*joined.services, *names]
        held |= dict.fromkeys(names, joined)
    for incident in lasting:
        _go_on(incident, found, now=now)
    Incident.objects.filter(ended_at__lt=now - RETENTION).delete()


def _untold(lasting: Iterable[Incident], trouble: Trouble) -> Incident | None:
    """An incident about which no message was written yet, of services in the same trouble."""
    same = (trouble.state, trouble.severity)
    return next((each for each in lasting if each.confirmed_at is None and (each.state, each.severity) == same), None)


def _go_on(incident: Incident, found: Mapping[str, Trouble], *, now: datetime) -> None:
    if incident.confirmed_at is None:
        # A message names the first ones: those that affect most. The very first is the incident's name in the database.
        first, *others = incident.services
        incident.services = [first, *_most_affecting(others, found)]
    gravest = min((found[name] for name in incident.services), key=lambda trouble: trouble.state.urgency)
    incident.state, incident.reason = gravest.state, gravest.reason
    incident.affected = sorted({name for service in incident.services for name in found[service].affected})
    if incident.confirmed_at is None and now - incident.began_at >= CONFIRMED_AFTER:
        incident.confirmed_at = now
    incident.save()


def _most_affecting(names: Iterable[str], found: Mapping[str, Trouble]) -> list[str]:
    return sorted(names, key=lambda name: (-len(found[name].affected), name))


def _end(incident: Incident, *, now: datetime) -> None:
    if incident.confirmed_at is None:
        incident.delete()
        return
    incident.ended_at = now
    incident.save(update_fields=["ended_at"])
