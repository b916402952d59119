from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from tests.webui.faked.call import NOW
from webui import board
from webui.board import Choice, Group, Grouping, Row, State
from webui.upstream.registry import Graph, GraphService, Service

STATES = st.sampled_from([*State, "resting"])


def service(name: str, status: str = "passing", **members: object) -> Service:
    return Service(service=name, status=status, **members)  # type: ignore[arg-type]


def shown(groups: list[Group]) -> dict[str, list[str]]:
    return {group.name: [row.name for row in group.rows] for group in groups}


def a_board_of(passing: int) -> board.Board:
    healthy = [service(f"s{number:03}", zones=("north" if number % 2 else "south",)) for number in range(passing)]
    return board.judge([*healthy, service("sick", "critical", tags=("billing",))], Graph(roots=(("sick",),)))


def test_the_gravest_causes_come_first_and_a_flood_of_others_hides_none_of_them() -> None:
    ghosts = [f"ghost-{number:03}" for number in range(100)]
    services = [Service(service="zoo", status="critical"), Service(service="web", status="degraded")]
    graph = Graph(
        services=(
            GraphService(service="web", state="degraded", causes=(*ghosts, "zoo")),
            GraphService(service="zoo", state="critical"),
        ),
        down=(*ghosts, "zoo"),
        roots=(*((ghost,) for ghost in ghosts), ("zoo",)),
        affected=dict.fromkeys((*ghosts, "zoo"), ("web",)),
    )

    judged = board.judge(services, graph)

    assert [cause.services[0].name for cause in judged.said_causes] == ["zoo", *ghosts[:11]]
    assert judged.unsaid_causes == 89


def test_what_the_registry_says_is_put_into_causes_and_order() -> None:
    graph = Graph(
        services=(
            GraphService(service="webui", state="degraded", causes=("logsvc",)),
            GraphService(service="grading", state="critical", causes=("logsvc",)),
            GraphService(service="logsvc", state="critical"),
        ),
        down=("grading", "logsvc"),
        roots=(("logsvc",),),
        affected={"logsvc": ("grading", "webui"), "grading": ("webui",)},
    )
    since = NOW - timedelta(minutes=3)
    services = [service("webui"), service("grading", "critical"), service("logsvc", "critical", status_since=since)]
    judged = board.judge(services, graph)
    [cause] = judged.causes
    assert [row.name for row in cause.services] == ["logsvc"]
    assert (cause.since, cause.also_down, cause.degraded) == (since, ("grading",), ("webui",))
    assert [row.name for row in judged.rows] == ["logsvc", "grading", "webui"]


def test_what_fails_by_itself_is_never_said_to_be_down_because_of_another() -> None:
    graph = Graph(
        services=(GraphService(service="a", state="critical"), GraphService(service="c", state="critical")),
        roots=(("a",), ("c",)),
        affected={"c": ("a",)},
    )
    judged = board.judge([service("a", "critical"), service("c", "critical")], graph)
    assert [(cause.also_down, cause.degraded) for cause in judged.causes] == [((), ()), ((), ())]


def test_a_required_service_that_nobody_registered_has_a_row() -> None:
    [row] = board.judge([], Graph(down=("bank",), roots=(("bank",),))).rows
    assert (row.name, row.state, row.service.instances) == ("bank", State.MISSING, 0)


def test_a_state_of_a_newer_registry_alarms_nobody() -> None:
    [row] = board.judge([service("a", "resting")], Graph()).rows
    assert row.state is State.STARTING


def test_few_services_are_all_shown() -> None:
    assert [len(group.rows) for group in board.arrange(a_board_of(5).rows, Choice())] == [1, 5]


def test_many_healthy_services_are_folded_until_asked_for() -> None:
    rows = a_board_of(50).rows
    attention, passing = board.arrange(rows, Choice())
    assert ([row.name for row in attention.rows], attention.folded) == (["sick"], 0)
    assert (passing.rows, passing.folded) == ((), 50)
    assert len(board.arrange(rows, Choice(opened=("passing",)))[1].rows) == 50


def test_a_search_shows_what_it_finds_whatever_its_state() -> None:
    rows = a_board_of(50).rows
    assert shown(board.arrange(rows, Choice(text="S04"))) == {"passing": [f"s04{number}" for number in range(10)]}
    assert shown(board.arrange(rows, Choice(text="billing"))) == {"attention": ["sick"]}
    assert board.arrange(rows, Choice(text="nowhere")) == []


def test_services_are_grouped_by_zone_or_tag() -> None:
    rows = a_board_of(4).rows
    assert shown(board.arrange(rows, Choice(grouping=Grouping.ZONE))) == {
        "": ["sick"],
        "north": ["s001", "s003"],
        "south": ["s000", "s002"],
    }
    assert list(shown(board.arrange(rows, Choice(grouping=Grouping.TAG)))) == ["", "billing"]


@given(
    st.dictionaries(st.text("ab", min_size=1, max_size=4), STATES, max_size=30),
    st.sampled_from(Grouping),
    st.text("ab ", max_size=3),
)
def test_every_chosen_service_is_in_one_group_or_counted_as_folded(
    states: dict[str, str], grouping: Grouping, text: str
) -> None:
    rows = board.judge([service(name, state) for name, state in states.items()], Graph()).rows
    choice = Choice(text=text, grouping=grouping)
    groups = board.arrange(rows, choice)
    chosen: list[Row] = [row for row in rows if choice.takes(row)]
    assert sum(len(group.rows) + group.folded for group in groups) == len(chosen)
    folded = {row.name for row in chosen} - {row.name for group in groups for row in group.rows}
    assert all(states[name] == "passing" for name in folded)
