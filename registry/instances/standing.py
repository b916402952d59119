"""The standing of every service: its state, since when and why, and its root causes, from the database."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from django.db.models import Count, Max, Min, Q
from django.db.models.functions import Coalesce

from registry.instances import catalogue, dependencies
from registry.instances.catalogue import Summary
from registry.instances.dependencies import Findings, State
from registry.models import Change, Instance, JournalEntry, shown_status

MISSING = "required, but no instance of it is registered"


@dataclass(frozen=True, kw_only=True)
class Standing:
    """A service's state as people and dependents see it; `since` is None where the registry cannot know."""

    summary: Summary
    state: State
    since: datetime | None
    reason: str
    causes: list[str]


class _Group(NamedTuple):
    """The instances of one service that are shown with one status."""

    size: int
    first: datetime
    last: datetime
    reason: str


def findings(summaries: Iterable[Summary]) -> Findings:
    """Root causes, blast radius, unmet requirements and cycles of the registered services."""
    known = [each for each in summaries if each.counts]
    return dependencies.examine(
        {each.service: each.requires for each in known},
        {each.service: dependencies.state_of(each.counts) for each in known},
    )


def standings() -> tuple[list[Standing], Findings]:
    """The standing of every registered or required service, by name, and the findings on the whole."""
    groups = _groups()
    # One pass over the instances finds both the counts and the rest.
    sizes = {(service, status): group.size for service, shown in groups.items() for status, group in shown.items()}
    summaries = catalogue.summaries(sizes)
    found = findings(summaries)
    # When the last instance of each missing service was deregistered, as far as the journal reaches.
    left: dict[str, datetime] = {}
    if missing := [name for name, state in found.states.items() if state is State.MISSING]:
        entries = JournalEntry.objects.filter(service__in=missing, change=Change.DEREGISTERED).order_by()
        left = dict(entries.values_list("service").annotate(Max("at")))
    since = {
        each.service: left.get(each.service) or _since(found.states[each.service], groups.get(each.service, {}))
        for each in summaries
    }
    return [
        Standing(
            summary=each,
            state=found.states[each.service],
            since=since[each.service] or min(filter(None, map(since.get, found.causes[each.service])), default=None),
            reason=_reason(found.states[each.service], groups.get(each.service, {})),
            causes=found.causes[each.service],
        )
        for each in summaries
    ], found


def _groups() -> dict[str, dict[str, _Group]]:
    """The instances by service and shown status."""
    shown_since = Coalesce("overridden_since", "status_since")
    rows = (
        Instance.objects.order_by()
        .annotate(is_draining=Q(draining_until__isnull=False))
        .values_list("service", "status", "is_in_maintenance", "is_draining")
        .annotate(
            count=Count("pk"),
            first=Min("status_since"),
            last=Max("status_since"),
            first_overridden=Min(shown_since),
            last_overridden=Max(shown_since),
            why=Max("status_reason"),
            why_overridden=Max("override_reason"),
        )
    )
    found: dict[str, dict[str, _Group]] = {}
    for service, status, is_in_maintenance, is_draining, count, *said in rows:
        overridden = is_in_maintenance or is_draining
        first, last, reason = (said[2], said[3], said[5]) if overridden else (said[0], said[1], said[4])
        shown = shown_status(status, is_in_maintenance, is_draining)
        before = found.setdefault(service, {}).get(shown)
        if before is not None:
            count, first, last = count + before.size, min(first, before.first), max(last, before.last)
            reason = max(reason, before.reason)
        found[service][shown] = _Group(count, first, last, reason)
    return found


def _since(state: State, groups: dict[str, _Group]) -> datetime | None:
    """Since when: down since its last instance went, up since its first came, degraded since one became critical."""
    if state.is_down:
        return max((group.last for group in groups.values()), default=None)
    if state is State.DEGRADED:
        return groups[State.CRITICAL].first if State.CRITICAL in groups else None
    return groups[state].first if state in groups else None


def _reason(state: State, groups: dict[str, _Group]) -> str:
    """The reason, from one of the instances that decide the state; a passing service needs none."""
    if state is State.MISSING:
        return MISSING
    if state is State.DEGRADED and State.CRITICAL in groups:
        total = sum(group.size for group in groups.values())
        return f"{groups[State.CRITICAL].size} of {total} instances critical: {groups[State.CRITICAL].reason}"
    if state in (State.PASSING, State.DEGRADED):
        return ""
    return groups[state].reason if state in groups else ""
