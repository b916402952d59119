"""A process that is no member asks at most every five seconds, and remembers."""

from registry.client import Connection, Provider
from registry.client.lookup import FRESH_SECONDS, RETRY_SECONDS, Lookup
from registry.client.snapshot import REMEMBERED_SECONDS
from tests.clients.registry.fake import FakeRegistry
from tests.clock import Clock


def lookup(registry: FakeRegistry, clock: Clock, **known: tuple[Provider, ...]) -> Lookup:
    connection: Connection = registry.client()
    return Lookup(connection, known=known, clock=clock)


def names(found: Lookup) -> list[str]:
    return [provider.instance for provider in found.instances("grading")]


def test_what_is_offered_is_found_and_nothing_else(registry: FakeRegistry) -> None:
    for number, status in enumerate(("passing", "warning", "critical", "maintenance", "draining", "starting")):
        registry.offer("grading", f"grading-{number}", status=status)
    assert names(lookup(registry, Clock())) == ["grading-0", "grading-1"]


def test_what_a_registry_has_lost_is_found_beside_what_has_returned_for_a_minute(registry: FakeRegistry) -> None:
    clock = Clock()
    found = lookup(registry, clock)
    for number in range(3):
        registry.offer("grading", f"grading-{number}")
    assert len(names(found)) == 3
    registry.lose_everything()
    clock.now += FRESH_SECONDS
    assert len(names(found)) == 3
    registry.offer("grading", "grading-1", weight=7)
    clock.now += FRESH_SECONDS
    assert names(found) == ["grading-1", "grading-0", "grading-2"]
    clock.now += REMEMBERED_SECONDS
    assert names(found) == ["grading-1"]


def test_an_answer_serves_for_five_seconds(registry: FakeRegistry) -> None:
    clock = Clock()
    found = lookup(registry, clock)
    assert names(found) == []
    registry.offer("grading", "grading-1")
    clock.now = FRESH_SECONDS - 0.1
    assert names(found) == []
    clock.now = FRESH_SECONDS
    assert names(found) == ["grading-1"]


def test_the_last_known_good_serves_while_the_registry_is_away(registry: FakeRegistry) -> None:
    clock = Clock()
    found = lookup(registry, clock)
    registry.offer("grading", "grading-1")
    assert names(found) == ["grading-1"]
    registry.is_away = True
    clock.now = 1000.0
    assert names(found) == ["grading-1"]
    assert names(found) == ["grading-1"]
    assert len(registry.requests) == 2


def test_what_was_known_from_elsewhere_serves_while_the_registry_is_away(registry: FakeRegistry) -> None:
    registry.is_away = True
    known = Provider(service="grading", instance="grading-7", url="http://g.test")
    found = lookup(registry, Clock(), grading=(known,))
    assert found.choose("grading") == known


def test_where_nothing_is_known_yet_the_next_question_comes_soon(registry: FakeRegistry) -> None:
    clock = Clock()
    registry.is_away = True
    found = lookup(registry, clock)
    assert names(found) == []
    assert names(found) == []
    assert len(registry.requests) == 1
    registry.is_away = False
    registry.offer("grading", "grading-1")
    clock.now = RETRY_SECONDS
    assert names(found) == ["grading-1"]


def test_choosing_takes_turns_and_leaves_out_what_fails(registry: FakeRegistry) -> None:
    registry.offer("grading", "grading-1")
    registry.offer("grading", "grading-2")
    found = lookup(registry, Clock())
    assert {each.instance for each in [found.choose("grading"), found.choose("grading")] if each} == {
        "grading-1",
        "grading-2",
    }
    failing = found.choose("grading")
    assert failing is not None
    found.report_failure(failing)
    assert found.choose("grading") != failing
    assert found.choose("logsvc") is None
