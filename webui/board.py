"""The status board: the registry's judgement of every service, as a sentence first and then as rows in groups.

What explains what is decided by the registry (`GET /v1/graph`); here it is only put into words and order.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from webui.upstream.registry import Graph, Service

# How many causes are said in a sentence; all of them are among the rows.
SAID_CAUSES = 12
# How many healthy services are shown at first, and how many more at each request for more.
SHOWN_HEALTHY = 12
SHOWN_AT_ONCE = 100


class State(StrEnum):
    """A service's state, in the order of urgency."""

    CRITICAL = "critical"
    MISSING = "missing"
    DEGRADED = "degraded"
    DRAINING = "draining"
    MAINTENANCE = "maintenance"
    WARNING = "warning"
    STARTING = "starting"
    PASSING = "passing"

    @classmethod
    def of(cls, word: str) -> "State":
        """An unknown word, of a newer registry, causes no alarm."""
        return cls(word) if word in _WORDS else cls.STARTING

    @property
    def is_down(self) -> bool:
        return self in _DOWN

    @property
    def urgency(self) -> int:
        return _ORDER.index(self)


_WORDS = frozenset(State)
_ORDER = tuple(State)
_DOWN = frozenset({State.CRITICAL, State.MISSING, State.MAINTENANCE, State.DRAINING})


class Grouping(StrEnum):
    STATE = "state"
    ZONE = "zone"
    TAG = "tag"


@dataclass(frozen=True, kw_only=True)
class Row:
    service: Service
    state: State
    # The services whose failure explains this one's state.
    causes: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return self.service.service


@dataclass(frozen=True, kw_only=True)
class Cause:
    """A service that fails by itself, and its effect on those that require it; several that require each other."""

    services: tuple[Row, ...]
    also_down: tuple[str, ...]
    degraded: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(row.name for row in self.services)

    @property
    def state(self) -> State:
        return min((row.state for row in self.services), key=lambda state: state.urgency)

    @property
    def since(self) -> datetime | None:
        return max((row.service.status_since for row in self.services if row.service.status_since), default=None)

    @property
    def reason(self) -> str:
        return next((row.service.status_reason for row in self.services if row.service.status_reason), "")


@dataclass(frozen=True, kw_only=True)
class Board:
    # The gravest first, of these the ones with the most services behind them.
    causes: tuple[Cause, ...]
    # Services that need attention come first.
    rows: tuple[Row, ...]

    @property
    def said_causes(self) -> tuple[Cause, ...]:
        return self.causes[:SAID_CAUSES]

    @property
    def unsaid_causes(self) -> int:
        return len(self.causes) - len(self.said_causes)

    @property
    def is_well(self) -> bool:
        return all(row.state is State.PASSING for row in self.rows)

    @property
    def unwell(self) -> int:
        return sum(row.state is not State.PASSING for row in self.rows)

    def row(self, name: str) -> Row | None:
        return next((row for row in self.rows if row.name == name), None)


@dataclass(frozen=True, kw_only=True)
class Choice:
    """The rows to show, as the page's address says."""

    text: str = ""
    states: tuple[str, ...] = ()
    grouping: Grouping = Grouping.STATE
    # The names of the groups whose healthy services are shown, too; `*` for all groups.
    opened: tuple[str, ...] = ()
    # The most rows of a group that are shown.
    most: int = SHOWN_AT_ONCE

    def takes(self, row: Row) -> bool:
        words = (row.name, *row.service.tags, *row.service.zones)
        has_text = all(any(part in word.lower() for word in words) for part in self.text.lower().split())
        return has_text and (not self.states or row.state in self.states)


@dataclass(frozen=True, kw_only=True)
class Group:
    name: str
    rows: tuple[Row, ...]
    # The numbers of healthy ones and of others that are not shown.
    folded: int = 0
    further: int = 0

    @property
    def count(self) -> int:
        return len(self.rows) + self.folded + self.further


def judge(services: Iterable[Service], graph: Graph) -> Board:
    judged = {each.service: each for each in graph.services}
    rows = {}
    for service in services:
        found = judged.get(service.service)
        state = State.of((found and found.state) or service.status)
        rows[service.service] = Row(service=service, state=state, causes=found.causes if found else ())
    for name in sorted(set(graph.down) - set(rows)):
        rows[name] = Row(service=Service(service=name, status=State.MISSING), state=State.MISSING)
    ordered = sorted(rows.values(), key=lambda row: (row.state.urgency, bool(row.causes), row.name))
    causes = sorted(
        (_cause(root, graph, rows) for root in graph.roots),
        key=lambda cause: (cause.state.urgency, -len(cause.also_down) - len(cause.degraded)),
    )
    return Board(causes=tuple(causes), rows=tuple(ordered))


def arrange(rows: Sequence[Row], choice: Choice) -> list[Group]:
    """The chosen rows in their groups; where there are many, the healthy ones are folded away unless asked for.

    A group shows the first of its rows, as many as were asked for: those that need attention come first.
    """
    chosen = [row for row in rows if choice.takes(row)]
    healthy = sum(row.state is State.PASSING for row in chosen)
    folds = healthy > SHOWN_HEALTHY and not choice.text and not choice.states and "*" not in choice.opened
    groups: dict[str, list[Row]] = {}
    for row in chosen:
        for name in _groups_of(row, choice.grouping):
            groups.setdefault(name, []).append(row)
    found = []
    for name in groups if choice.grouping is Grouping.STATE else sorted(groups):
        is_folded = folds and name not in choice.opened
        shown = [row for row in groups[name] if not (is_folded and row.state is State.PASSING)]
        folded, further = len(groups[name]) - len(shown), max(0, len(shown) - choice.most)
        found.append(Group(name=name, rows=tuple(shown[: choice.most]), folded=folded, further=further))
    return found


def _groups_of(row: Row, grouping: Grouping) -> Sequence[str]:
    if grouping is Grouping.STATE:
        return ("passing" if row.state is State.PASSING else "attention",)
    return (row.service.zones if grouping is Grouping.ZONE else row.service.tags) or ("",)


def _cause(root: Sequence[str], graph: Graph, rows: dict[str, Row]) -> Cause:
    affected = sorted({name for each in root for name in graph.affected.get(each, ())} - set(root))
    # A service that fails by itself is a root, and never said to be down because of another.
    explained = [rows[name] for name in affected if name in rows and set(root) & set(rows[name].causes)]
    return Cause(
        services=tuple(rows[name] for name in root if name in rows),
        also_down=tuple(row.name for row in explained if row.state.is_down),
        degraded=tuple(row.name for row in explained if not row.state.is_down),
    )
