from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from webui import board, graphs
from webui.graphs import HEIGHT, WIDTH
from webui.upstream.registry import Graph, GraphService, Service

NAMES = st.sampled_from("abcdefghij")


@given(st.dictionaries(NAMES, st.frozensets(NAMES, max_size=4), max_size=10))
def test_every_service_is_drawn_once_beside_the_others_and_every_requirement_is_an_edge(
    requires: dict[str, frozenset[str]],
) -> None:
    graph = Graph(services=tuple(GraphService(service=name, requires=tuple(needs)) for name, needs in requires.items()))
    drawing = graphs.draw(graph, board.judge([Service(service=name, status="passing") for name in requires], graph))
    assert {node.name for node in drawing.nodes} == requires.keys() | frozenset().union(*requires.values())
    assert {(edge.start, edge.end) for edge in drawing.edges} == {
        (a, b) for a, needs in requires.items() for b in needs
    }
    for one, other in combinations(drawing.nodes, 2):
        assert abs(one.x - other.x) >= WIDTH or abs(one.y - other.y) >= HEIGHT
        assert 0 <= one.x <= drawing.width - WIDTH
        assert 0 <= one.y <= drawing.height - HEIGHT


def test_those_that_require_each_other_are_marked() -> None:
    services = (GraphService(service="a", requires=("b",)), GraphService(service="b", requires=("a", "c")))
    graph = Graph(services=services, cycles=(("a", "b"),), unmet={"b": ("c",)})
    drawing = graphs.draw(graph, board.judge([Service(service="a", status="passing")], graph))
    marks = {(edge.start, edge.end): (edge.is_cyclic, edge.is_unmet) for edge in drawing.edges}
    assert marks == {("a", "b"): (True, False), ("b", "a"): (True, False), ("b", "c"): (False, True)}


def test_what_loses_a_service_is_found_through_others() -> None:
    graph = Graph(services=(GraphService(service="a", requires=("b",)), GraphService(service="b", requires=("c",))))
    assert graphs.dependents(graph, "c") == ["a", "b"]
    assert graphs.dependents(graph, "nobody") == []


def test_a_requirement_goes_around_what_stands_between() -> None:
    services = (GraphService(service="a", requires=("b", "c")), GraphService(service="b", requires=("c",)))
    graph = Graph(services=services)
    drawing = graphs.draw(graph, board.judge([Service(service=name, status="passing") for name in "abc"], graph))
    (x,) = {node.x for node in drawing.nodes}
    paths = {(edge.start, edge.end): edge.path for edge in drawing.edges}
    assert paths["a", "c"].startswith(f"M{x + WIDTH} ")
    assert paths["a", "b"].startswith(f"M{x + WIDTH // 2} ")
