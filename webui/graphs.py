"""The dependency graph drawn: services in layers, those that are required below those that require them."""

from collections.abc import Mapping
from dataclasses import dataclass

import networkx as nx

from webui.board import Board, State
from webui.upstream.registry import Graph

WIDTH, HEIGHT, GAP_X, GAP_Y, MARGIN = 204, 34, 20, 56, 12
# A layer with more services than this goes on in a further row.
ROW_LENGTH = 5


@dataclass(frozen=True, kw_only=True)
class Node:
    name: str
    state: State
    x: int
    y: int
    requires: tuple[str, ...]
    required_by: tuple[str, ...]
    unmet: tuple[str, ...]
    # The services that require each other with this one.
    cycle: tuple[str, ...]

    @property
    def label(self) -> str:
        return self.name if len(self.name) <= 19 else f"{self.name[:18]}…"


@dataclass(frozen=True, kw_only=True)
class Edge:
    start: str
    end: str
    # The data of an SVG path.
    path: str
    is_unmet: bool
    is_cyclic: bool


@dataclass(frozen=True, kw_only=True)
class Drawing:
    width: int
    height: int
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    cycles: tuple[tuple[str, ...], ...]


def draw(graph: Graph, board: Board) -> Drawing:
    digraph: nx.DiGraph[str] = nx.DiGraph()
    digraph.add_nodes_from(row.name for row in board.rows)
    digraph.add_edges_from((each.service, name) for each in graph.services for name in each.requires)
    places = _places(digraph)
    cycles = {name: tuple(cycle) for cycle in graph.cycles for name in cycle}
    nodes = tuple(
        Node(
            name=name,
            state=row.state if (row := board.row(name)) else State.MISSING,
            x=x,
            y=y,
            requires=tuple(sorted(digraph.successors(name))),
            required_by=tuple(sorted(digraph.predecessors(name))),
            unmet=graph.unmet.get(name, ()),
            cycle=cycles.get(name, ()),
        )
        for name, (x, y) in sorted(places.items(), key=lambda item: (item[1][1], item[1][0]))
    )
    edges = tuple(
        Edge(
            start=start,
            end=end,
            path=_path(places[start], places[end]),
            is_unmet=end in graph.unmet.get(start, ()),
            is_cyclic=end in cycles.get(start, ()),
        )
        for start, end in sorted(digraph.edges)
    )
    return Drawing(
        width=max((x for x, _ in places.values()), default=0) + WIDTH + GAP_X + MARGIN,
        height=max((y for _, y in places.values()), default=0) + HEIGHT + MARGIN,
        nodes=nodes,
        edges=edges,
        cycles=graph.cycles,
    )


def dependents(graph: Graph, service: str) -> list[str]:
    """The services that require this one, directly or through others."""
    digraph: nx.DiGraph[str] = nx.DiGraph((each.service, name) for each in graph.services for name in each.requires)
    return sorted(nx.ancestors(digraph, service)) if service in digraph else []


def _places(digraph: "nx.DiGraph[str]") -> Mapping[str, tuple[int, int]]:
    """The upper left corner of each; services that require each other share a layer."""
    condensed = nx.condensation(digraph)
    places: dict[str, tuple[int, int]] = {}
    y, order = MARGIN, dict[str, float]()
    for layer in nx.topological_generations(condensed):
        names = [name for component in layer for name in condensed.nodes[component]["members"]]
        # Below those that require it, as far as that can be had.
        above = {name: [order[other] for other in digraph.predecessors(name) if other in order] for name in names}
        names.sort(key=lambda name: (sum(above[name]) / len(above[name]) if above[name] else 1e6, name))
        for number, name in enumerate(names):
            column, row = number % ROW_LENGTH, number // ROW_LENGTH
            places[name] = (MARGIN + column * (WIDTH + GAP_X), y + row * (HEIGHT + GAP_Y // 2))
            order[name] = column
        y += ((len(names) - 1) // ROW_LENGTH) * (HEIGHT + GAP_Y // 2) + HEIGHT + GAP_Y
    return places


def _path(start: tuple[int, int], end: tuple[int, int]) -> str:
    (x1, y1), (x2, y2) = start, end
    if y1 == y2:
        # Side by side, or to itself: an arc above.
        x1, x2 = x1 + WIDTH // 2, x2 + WIDTH // 2 + (24 if x1 == x2 else 0)
        return f"M{x1} {y1}C{x1} {y1 - 30} {x2} {y2 - 30} {x2} {y2}"
    if x1 == x2 and abs(y2 - y1) > HEIGHT + GAP_Y:
        # Around what stands between them, in the gap to the right.
        x, bend, y1, y2 = x1 + WIDTH, x1 + WIDTH + GAP_X + 8, y1 + HEIGHT // 2, y2 + HEIGHT // 2
        return f"M{x} {y1}C{bend} {y1} {bend} {y2} {x} {y2}"
    down = y2 > y1
    x1, x2 = x1 + WIDTH // 2, x2 + WIDTH // 2
    y1, y2 = (y1 + HEIGHT, y2) if down else (y1, y2 + HEIGHT)
    middle = (y1 + y2) // 2
    return f"M{x1} {y1}C{x1} {middle} {x2} {middle} {x2} {y2}"
