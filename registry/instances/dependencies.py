"""Root causes, blast radius, unmet requirements and cycles, from what services require and their own states. Pure.

A service is *down* when none of its instances is offered and none is starting. What is down is a *root cause* unless
something that it requires, and that fails itself, explains it: directly, or through others that are down. A service
that fails by its own probes is never explained by one that is merely missing; nor is one that an operator has taken
from the offer explained by anything else. A service that is offered is *degraded* by every root cause that it reaches.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

# For each service those that it requires.
Requirements = Mapping[str, Collection[str]]


class State(StrEnum):
    """The state of a service as a whole, the most urgent first."""

    CRITICAL = "critical"
    # Required by another service, but without any instance.
    MISSING = "missing"
    # Offered, but an instance of it is critical, or something that it requires is down.
    DEGRADED = "degraded"
    DRAINING = "draining"
    MAINTENANCE = "maintenance"
    WARNING = "warning"
    STARTING = "starting"
    PASSING = "passing"

    @property
    def is_down(self) -> bool:
        return self in (State.CRITICAL, State.MISSING, State.DRAINING, State.MAINTENANCE)

    @property
    def is_offered(self) -> bool:
        return self in (State.PASSING, State.WARNING, State.DEGRADED)


@dataclass(frozen=True, kw_only=True)
class Findings:
    """The state of every service and what explains it; every list is sorted.

    `roots` are the root causes, together where they require each other in a circle, or are missing and required by the
    same services. `causes` names for each service the root causes that explain its state; none for a root cause itself.
    `affected` names for each service that is down those that require it, transitively. `unmet` names for each service
    what it requires and nobody offers; `cycles` are the services that require each other, which is allowed and worth a
    look.
    """

    states: dict[str, State]
    down: list[str]
    roots: list[list[str]]
    causes: dict[str, list[str]]
    affected: dict[str, list[str]]
    unmet: dict[str, list[str]]
    cycles: list[list[str]]


def state_of(counts: Mapping[str, int]) -> State:
    """A service's own state, from how many of its instances are shown with each status."""
    shown = {status for status, count in counts.items() if count}
    if shown & {State.PASSING, State.WARNING}:
        worst_first = (State.CRITICAL, State.WARNING, State.PASSING)
        worst = next(state for state in worst_first if state in shown)
        return State.DEGRADED if worst is State.CRITICAL else worst
    known = (State.CRITICAL, State.STARTING, State.DRAINING, State.MAINTENANCE)
    return next((state for state in known if state in shown), State.MISSING)


def examine(requirements: Requirements, own: Mapping[str, State]) -> Findings:
    """`own` is each service's own state (`state_of`); a service that is only required is missing where it has none."""
    services = sorted(own.keys() | set(requirements).union(*requirements.values()))
    own = {service: own.get(service, State.MISSING) for service in services}
    down = {service for service in services if own[service].is_down}
    # Down services explain each other; a requirement that is only missing explains no failure of a probe.
    explaining = {
        service: {need for need in requirements.get(service, ()) if own[need].is_down and own[need] != State.MISSING}
        if own[service] is State.CRITICAL
        else set()
        for service in down
    }
    dependents_of = _reversed(requirements)
    roots = _grouped(
        [each for each in components(explaining) if all(explaining[service] <= set(each) for service in each)],
        missing={service for service in down if own[service] is State.MISSING},
        dependents_of=dependents_of,
    )
    culprits = {service for group in roots for service in group}
    causes = {}
    for service in services:
        if service in down:
            causes[service] = [] if service in culprits else sorted(reachable(explaining, service) & culprits)
        else:
            causes[service] = sorted(reachable(requirements, service) & culprits) if own[service].is_offered else []
    return Findings(
        states={
            service: State.DEGRADED if own[service].is_offered and causes[service] else own[service]
            for service in services
        },
        down=sorted(down),
        roots=roots,
        causes=causes,
        affected={service: sorted(reachable(dependents_of, service)) for service in sorted(down)},
        unmet={
            service: sorted(down & set(needs)) for service, needs in sorted(requirements.items()) if down & set(needs)
        },
        cycles=[each for each in components(requirements) if len(each) > 1 or each[0] in requirements.get(each[0], ())],
    )


def dependents(requirements: Requirements, service: str) -> list[str]:
    """The services that require it, transitively."""
    return sorted(reachable(_reversed(requirements), service))


def reachable(graph: Requirements, start: str) -> set[str]:
    """The services reached from `start`, without itself."""
    found: set[str] = set()
    waiting = [start]
    while waiting:
        new = set(graph.get(waiting.pop(), ())) - found
        found |= new
        waiting.extend(new)
    return found - {start}


def components(graph: Requirements) -> list[list[str]]:
    """The strongly connected components, each sorted, in sorted order (Kosaraju's algorithm, without recursion)."""
    finished: list[str] = []
    seen: set[str] = set()
    for start in sorted(set(graph).union(*graph.values())):
        waiting = [(start, False)]
        while waiting:
            node, is_left = waiting.pop()
            if is_left:
                finished.append(node)
            elif node not in seen:
                seen.add(node)
                waiting += [(node, True), *((need, False) for need in graph.get(node, ()))]
    backwards = _reversed(graph)
    found: list[list[str]] = []
    for start in reversed(finished):
        group: set[str] = set()
        ahead = {start} & seen
        while ahead:
            group |= ahead
            seen -= ahead
            ahead = {other for node in ahead for other in backwards.get(node, ())} & seen
        if group:
            found.append(sorted(group))
    return sorted(found)


def _grouped(roots: Iterable[list[str]], *, missing: Collection[str], dependents_of: Requirements) -> list[list[str]]:
    """The roots; missing services that the same services require are one, so that many misspelt names are one cause."""
    found = []
    by_dependents: dict[frozenset[str], list[str]] = {}
    for root in roots:
        if root[0] in missing:
            by_dependents.setdefault(frozenset(dependents_of.get(root[0], ())), []).extend(root)
        else:
            found.append(root)
    return sorted([*found, *map(sorted, by_dependents.values())])


def _reversed(graph: Requirements) -> dict[str, set[str]]:
    turned: dict[str, set[str]] = {}
    for service, needs in graph.items():
        for need in needs:
            turned.setdefault(need, set()).add(service)
    return turned
