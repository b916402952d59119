"""Who stands on whom: root causes, blast radius, unmet requirements and cycles, from what services declare. Pure."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

# A service, and those that it requires.
Requirements = Mapping[str, Collection[str]]


@dataclass(frozen=True, kw_only=True)
class Findings:
    """What the requirements say of the services; every list is sorted.

    `down` are the services that are required or registered and offer nothing. `roots` are those of them that no other
    one explains, together where they require each other in a circle, and those that an operator has withdrawn.
    `affected` names for each service that is down those that require it, transitively. `unmet` names for each service
    what it requires and nobody offers; `cycles` are the services that require each other, which is allowed and deserves
    a look.
    """

    down: list[str]
    roots: list[list[str]]
    affected: dict[str, list[str]]
    unmet: dict[str, list[str]]
    cycles: list[list[str]]


def examine(
    requirements: Requirements, *, offering: Collection[str], withdrawn: Collection[str] = frozenset()
) -> Findings:
    """`requirements` has a key for each service that is registered; `offering` are those with an instance on offer.

    `withdrawn` are those whose instances are all in maintenance or draining.
    """
    services = set(requirements).union(*requirements.values())
    down = services - set(offering)
    dependents = _reversed(requirements)
    return Findings(
        down=sorted(down),
        roots=_roots(requirements, down, withdrawn),
        affected={service: sorted(reachable(dependents, service)) for service in sorted(down)},
        unmet={
            service: sorted(down & set(needs)) for service, needs in sorted(requirements.items()) if down & set(needs)
        },
        cycles=[each for each in components(requirements) if len(each) > 1 or each[0] in requirements.get(each[0], ())],
    )


def dependents(requirements: Requirements, service: str) -> list[str]:
    """Those that require it, transitively."""
    return sorted(reachable(_reversed(requirements), service))


def reachable(graph: Requirements, start: str) -> set[str]:
    """What is reached from `start`, which is itself not counted."""
    found: set[str] = set()
    waiting = [start]
    while waiting:
        new = set(graph.get(waiting.pop(), ())) - found
        found |= new
        waiting.extend(new)
    return found - {start}


def components(graph: Requirements) -> list[list[str]]:
    """The strongly connected components, each sorted, in sorted order: Tarjan's algorithm, without recursion."""
    return sorted(_Tarjan(graph).run())


def _roots(requirements: Requirements, down: set[str], withdrawn: Collection[str]) -> list[list[str]]:
    # An operator's word needs no other explanation.
    needs = {service: () if service in withdrawn else requirements.get(service, ()) for service in down}
    among = {service: down & set(needs[service]) for service in down}
    return [each for each in components(among) if all(among[service] <= set(each) for service in each)]


def _reversed(graph: Requirements) -> dict[str, set[str]]:
    turned: dict[str, set[str]] = {}
    for service, needs in graph.items():
        for need in needs:
            turned.setdefault(need, set()).add(service)
    return turned


class _Tarjan:
    def __init__(self, graph: Requirements) -> None:
        self._graph = graph
        self._index: dict[str, int] = {}
        self._lowest: dict[str, int] = {}
        self._stack: list[str] = []
        self._is_open: set[str] = set()
        self._found: list[list[str]] = []

    def run(self) -> list[list[str]]:
        for node in sorted(set(self._graph).union(*self._graph.values())):
            if node not in self._index:
                self._visit(node)
        return self._found

    def _visit(self, start: str) -> None:
        path = [(start, iter(self._enter(start)))]
        while path:
            node, following = path[-1]
            for each in following:
                if each not in self._index:
                    path.append((each, iter(self._enter(each))))
                    break
                if each in self._is_open:
                    self._lowest[node] = min(self._lowest[node], self._index[each])
            else:
                path.pop()
                self._leave(node, [parent for parent, _ in path[-1:]])

    def _enter(self, node: str) -> Iterable[str]:
        self._index[node] = self._lowest[node] = len(self._index)
        self._stack.append(node)
        self._is_open.add(node)
        return self._graph.get(node, ())

    def _leave(self, node: str, parents: Sequence[str]) -> None:
        for parent in parents:
            self._lowest[parent] = min(self._lowest[parent], self._lowest[node])
        if self._lowest[node] != self._index[node]:
            return
        at = self._stack.index(node)
        component, self._stack = self._stack[at:], self._stack[:at]
        self._is_open -= set(component)
        self._found.append(sorted(component))
