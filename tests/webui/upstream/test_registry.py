from tests.webui.faked.world import World
from webui.upstream import registry


def test_the_newest_entries_come_first_and_only_as_many_as_are_wanted(world: World) -> None:
    for _ in range(30):
        world.registry.become("grading", "passing")
    assert [entry.revision for entry in registry.newest_entries(limit=3)] == [33, 32, 31]
    assert {entry.service for entry in registry.newest_entries(limit=5, service="webui")} == {"webui"}


def test_names_are_encoded_in_addresses(world: World) -> None:
    world.registry.become("host.local:cam:8080", "passing")
    [found] = registry.instances("host.local:cam:8080")
    assert found.service == "host.local:cam:8080"
