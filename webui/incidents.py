"""Incidents: one for each cause that the registry names, from the time it was noticed until it is over."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from webui.board import Board, State
from webui.models import Incident, Severity

REGISTRY = "registry"
# An incident that is over sooner bothers nobody.
CONFIRMED_AFTER = timedelta(seconds=20)
RETENTION = timedelta(days=90)


@dataclass(frozen=True, kw_only=True)
class Trouble:
    """A fault that one service has now by itself."""

    state: State
    severity: Severity
    reason: str = ""
    affected: tuple[str, ...] = ()


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
                )
    for row in board.rows:
        if row.state in (State.DEGRADED, State.WARNING) and not row.causes:
            found[row.name] = Trouble(state=row.state, severity=Severity.WARNING, reason=row.service.status_reason)
    return found


def registry_is_away(reason: str) -> dict[str, Trouble]:
    return {REGISTRY: Trouble(state=State.CRITICAL, severity=Severity.CRITICAL, reason=reason)}


@transaction.atomic
def record(found: Mapping[str, Trouble], *, now: datetime, is_whole: bool = True) -> None:
    """Begin, go on with, and end incidents. Where `found` is not the whole picture, none of the others ends."""
    # The clock may have been set back since one began.
    Incident.objects.filter(ended_at=None, began_at__gt=now).update(began_at=now)
    known = {incident.service: incident for incident in Incident.objects.filter(ended_at=None)}
    for service, trouble in found.items():
        incident = known.pop(service, None)
        if incident is not None and incident.severity != trouble.severity:
            # An incident that gets worse, or better but not well, is told of again.
            _end(incident, now=now)
            incident = None
        if incident is None:
            incident = Incident(service=service, began_at=now, severity=trouble.severity)
        incident.state, incident.reason = trouble.state, trouble.reason
        incident.affected = sorted(trouble.affected)
        if incident.confirmed_at is None and now - incident.began_at >= CONFIRMED_AFTER:
            incident.confirmed_at = now
        incident.save()
    if is_whole:
        for incident in known.values():
            _end(incident, now=now)
    Incident.objects.filter(ended_at__lt=now - RETENTION).delete()


def _end(incident: Incident, *, now: datetime) -> None:
    if incident.confirmed_at is None:
        incident.delete()
        return
    incident.ended_at = now
    incident.save(update_fields=["ended_at"])
