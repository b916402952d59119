import pytest

from tests.webui.faked.call import NOW
from tests.webui.faked.world import World
from webui.upstream import registry
from webui.upstream.exchange import UpstreamDown


def test_a_snapshot_holds_services_instances_and_the_newest_entries_first(world: World) -> None:
    world.registry.become("grading", "critical", reason="connection refused")
    snapshot = registry.snapshot()
    [grading] = snapshot.of("grading")
    assert (grading.status, grading.status_reason, grading.status_since) == ("critical", "connection refused", NOW)
    assert {service.service for service in snapshot.services} == {"grading", "logsvc", "webui"}
    assert [entry.revision for entry in snapshot.entries] == [4, 3, 2, 1]


def test_of_a_long_journal_only_the_end_is_asked_for(world: World) -> None:
    for _ in range(registry.RECENT_ENTRIES):
        world.registry.become("grading", "passing")
    assert len(registry.snapshot().entries) == registry.RECENT_ENTRIES


def test_the_last_snapshot_outlives_the_registry(world: World) -> None:
    assert registry.last_snapshot() is None
    taken = registry.snapshot()
    world.down.add("registry")
    with pytest.raises(UpstreamDown):
        registry.snapshot()
    assert registry.last_snapshot() == taken
