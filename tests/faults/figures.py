"""Computes how long it took to detect a death, to tell a dependent, to converge. Pure."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tests.faults.history import Entry, History, Injected, Key, Told
from tests.faults.schedule import CLOCK, HOUR_SECONDS, Kind

# An event so long after a fault is not put down to it.
CALM_SECONDS = 12.0
# A pair that took longer was overtaken: by a restart, a deregistration, another change.
SHARES = (0.5, 0.9, 0.99)


@dataclass(frozen=True, kw_only=True)
class Times:
    """Seconds, in order, of what happened while no fault was at work, and amid faults."""

    calm: Sequence[float]
    amid: Sequence[float]

    def __str__(self) -> str:
        return f"calm {spread(self.calm)}; amid faults {spread(self.amid)}"


def spread(seconds: Sequence[float]) -> str:
    """The count, some shares of it, and the longest."""
    if not seconds:
        return "none"
    ordered = sorted(seconds)
    shares = [f"p{share * 100:.0f} {ordered[int(share * (len(ordered) - 1))]:.3f} s" for share in SHARES]
    return f"{len(ordered)}: {', '.join(shares)}, longest {ordered[-1]:.3f} s"


def detection(history: History) -> Times:
    """The times from each death to its journal entry, if it was still dead then."""
    falls: defaultdict[Key, list[Entry]] = defaultdict(list)
    for entry in history.journal:
        if entry.change in ("critical", "suspect") and not _is_misdated(entry.at, history.injected):
            falls[entry.key].append(entry)
    pairs: list[tuple[float, float]] = []
    for death in history.deaths:
        until = death.until or float("inf")
        found = next((fall for fall in falls[death.key] if death.at - 0.1 <= fall.at <= until), None)
        if found is not None:
            pairs.append((death.at, found.at))
    return _divided(pairs, history.injected)


def telling(history: History) -> Times:
    """The times from each change of an offer to each webhook with it that reached a dependent."""
    changes: defaultdict[str, list[Entry]] = defaultdict(list)
    for entry in history.journal:
        if entry.change not in ("registered", "suspect"):
            changes[entry.key[0]].append(entry)
    revisions = {service: [entry.revision for entry in entries] for service, entries in changes.items()}
    reached: defaultdict[Key, list[Told]] = defaultdict(list)
    for told in history.told:
        reached[told.key].append(told)
    pairs: list[tuple[float, float]] = []
    for received in reached.values():
        known = -1
        for told in sorted(received, key=lambda each: each.at):
            for service in told.mentioned:
                first = bisect_right(revisions.get(service, []), max(told.from_revision, known))
                last = bisect_right(revisions.get(service, []), told.to_revision)
                pairs.extend((entry.at, told.at) for entry in changes[service][first:last])
            known = max(known, told.to_revision)
    return _divided(pairs, history.injected)


def _is_misdated(at: float, injected: Sequence[Injected]) -> bool:
    """Whether it is the time of a clock that was set: the entry may be older, or newer, than others around it."""
    return any(
        each.since - 5 < at - (HOUR_SECONDS if each.kind is Kind.FORWARD else -HOUR_SECONDS) < each.until + 5
        for each in injected
        if each.kind in CLOCK
    )


def _divided(pairs: Iterable[tuple[float, float]], injected: Sequence[Injected]) -> Times:
    """Divide the times by whether a fault was at work, and drop those of a clock that was set, which mean nothing."""
    clocks = [(each.since - 5, each.until + 5) for each in injected if each.kind in CLOCK]
    faults = sorted((each.since, each.until + CALM_SECONDS) for each in injected)
    calm: list[float] = []
    amid: list[float] = []
    for since, until in pairs:
        if any(since < end and until > begin for begin, end in clocks) or until < since - 1:
            continue
        is_amid = any(since < end and until > begin for begin, end in faults)
        (amid if is_amid else calm).append(max(0.0, until - since))
    return Times(calm=calm, amid=amid)
