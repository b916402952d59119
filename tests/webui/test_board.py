from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from tests.webui.faked.call import NOW
from webui import board
from webui.board import State
from webui.upstream.registry import Entry, Instance, Service, Snapshot

NAMES = st.sampled_from("abcdefg")
GRAPHS = st.dictionaries(NAMES, st.frozensets(NAMES, max_size=3))
REQUIRES = {"grading": ["logsvc"], "logsvc": [], "webui": ["grading", "logsvc"]}


def instance(service: str, status: str, *, number: int = 1, minutes: int = 0, reason: str = "") -> Instance:
    return Instance(
        service=service,
        instance=f"{service}-{number}",
        url=f"http://{service}.test",
        status=status,
        status_since=NOW + timedelta(minutes=minutes),
        status_reason=reason,
    )


def snapshot(*instances: Instance, entries: tuple[Entry, ...] = ()) -> Snapshot:
    """The three services, each with one passing instance where none is given."""
    given = {each.service for each in instances}
    others = (instance(service, "passing") for service in REQUIRES if service not in given)
    services = tuple(Service(service=name, requires=requires) for name, requires in REQUIRES.items())
    return Snapshot(taken_at=NOW, revision=9, services=services, instances=(*instances, *others), entries=entries)


def states(judged: board.Board) -> dict[str, State]:
    return {service.name: service.state for service in judged.services}


def test_all_is_well_while_every_service_passes() -> None:
    judged = board.judge(snapshot())
    assert judged.is_well
    assert judged.causes == ()


def test_what_requires_a_critical_service_is_degraded_because_of_it() -> None:
    judged = board.judge(snapshot(instance("grading", "critical", minutes=3, reason="connection refused")))
    assert states(judged) == {"grading": State.CRITICAL, "webui": State.DEGRADED, "logsvc": State.PASSING}
    [cause] = judged.causes
    assert (cause.service.name, cause.service.reason, cause.degraded) == ("grading", "connection refused", ("webui",))
    webui = judged.services[1]
    assert (webui.causes, webui.since) == (("grading",), NOW + timedelta(minutes=3))


def test_of_two_services_that_are_down_the_one_that_the_other_requires_is_the_cause() -> None:
    judged = board.judge(snapshot(instance("grading", "critical"), instance("logsvc", "critical")))
    [cause] = judged.causes
    assert (cause.service.name, cause.also_down, cause.degraded) == ("logsvc", ("grading",), ("webui",))
    assert [service.name for service in judged.services] == ["logsvc", "grading", "webui"]


def test_a_required_service_without_instances_is_named() -> None:
    known = snapshot()
    lonely = replace(known, services=(*known.services, Service(service="billing", requires=["bank"])))
    judged = board.judge(lonely)
    assert states(judged)["bank"] is State.MISSING
    assert "bank" in {cause.service.name for cause in judged.causes}


def test_a_service_with_one_critical_instance_of_two_is_degraded_for_no_fault_of_others() -> None:
    judged = board.judge(snapshot(instance("grading", "critical"), instance("grading", "passing", number=2)))
    grading = judged.services[0]
    assert (grading.state, grading.reason) == (State.DEGRADED, "1 of 2 instances critical")
    assert judged.causes == ()


def test_a_service_in_maintenance_explains_what_requires_it() -> None:
    judged = board.judge(snapshot(instance("grading", "maintenance")))
    assert states(judged)["webui"] is State.DEGRADED


def test_a_service_in_maintenance_is_explained_by_nothing_that_it_requires() -> None:
    judged = board.judge(snapshot(instance("grading", "draining"), instance("logsvc", "critical")))
    assert [cause.service.name for cause in judged.causes] == ["logsvc", "grading"]
    assert [cause.also_down for cause in judged.causes] == [(), ()]
    assert {each.name: each.causes for each in judged.services}["webui"] == ("grading", "logsvc")


def test_a_service_is_down_since_its_last_instance_went() -> None:
    known = snapshot(instance("grading", "critical", minutes=1), instance("grading", "critical", number=2, minutes=4))
    assert board.down_since(known, "grading") == NOW + timedelta(minutes=4)


def test_a_deregistered_service_is_down_since_it_left() -> None:
    left = NOW + timedelta(minutes=2)
    entry = Entry(revision=9, at=left, change="deregistered", service="grading", instance="grading-1")
    known = replace(snapshot(), instances=(), entries=(entry,))
    assert board.down_since(known, "grading") == left
    assert board.down_since(known, "logsvc") is None


def test_a_service_with_an_instance_that_serves_is_not_down() -> None:
    assert board.down_since(snapshot(instance("grading", "warning")), "grading") is None


def test_a_status_of_a_newer_registry_alarms_nobody() -> None:
    assert states(board.judge(snapshot(instance("grading", "resting"))))["grading"] is State.STARTING


@given(GRAPHS, st.sets(NAMES))
def test_whatever_is_down_is_a_cause_or_explained_by_one(requires: dict[str, frozenset[str]], down: set[str]) -> None:
    causes = board.explain(requires, down)
    final = {name for name in down if not causes[name]}
    for name, explained_by in causes.items():
        assert set(explained_by) <= final
        reaches_down = bool(board.reach(requires, name) & down)
        assert bool(explained_by) == (reaches_down and name not in final)


@given(GRAPHS)
def test_where_nothing_is_down_there_is_nothing_to_explain(requires: dict[str, frozenset[str]]) -> None:
    assert not any(board.explain(requires, set()).values())
