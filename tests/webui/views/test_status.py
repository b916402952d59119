import re
from datetime import timedelta

from django.test import Client

from tests.webui.faked.call import NOW, wire
from tests.webui.faked.world import World

SEEN = re.compile(r'name="seen" value="([^"]+)"')
POLL = {"HX-Request": "true", "HX-Trigger": "status-poll", "HX-Target": "status-poll"}


def text_of(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", page)).strip()


def look(client: Client) -> list[str]:
    """What a browser that shows the page remembers of it."""
    return SEEN.findall(client.get("/status").content.decode())


def test_the_page_shows_every_service_with_its_instances(world: World, operator: Client) -> None:
    text = text_of(operator.get("/status").content.decode())
    assert "All 3 services are passing" in text
    assert "grading-1 passing since" in text
    assert "http://grading.test" in text
    assert "Requires grading, logsvc" in text
    assert "Required by grading, webui" in text


def test_the_root_cause_comes_first(world: World, operator: Client) -> None:
    world.registry.become("grading", "critical", reason="connection refused", at=NOW + timedelta(minutes=2))
    text = text_of(operator.get("/status").content.decode())
    assert "grading is down; webui is degraded because of it Since 23 Nov 12:02:00 UTC: connection refused" in text


def test_what_else_is_down_is_told_apart_from_what_is_degraded(world: World, operator: Client) -> None:
    world.registry.become("grading", "critical")
    world.registry.become("logsvc", "critical")
    text = text_of(operator.get("/status").content.decode())
    assert "logsvc is down; grading is down and webui is degraded because of it" in text


def test_a_required_service_that_left_is_not_registered(world: World, operator: Client) -> None:
    world.registry.deregister("grading")
    assert "grading is not registered; webui is degraded" in text_of(operator.get("/status").content.decode())


def test_a_service_that_was_taken_out_on_purpose_is_not_called_down(world: World, operator: Client) -> None:
    world.registry.become("grading", "maintenance", reason="new disk")
    text = text_of(operator.get("/status").content.decode())
    assert "grading is in maintenance; webui is degraded because of it" in text


def test_what_happened_lately_is_listed_newest_first(world: World, operator: Client) -> None:
    world.registry.become("grading", "critical", reason="connection refused")
    text = text_of(operator.get("/status").content.decode())
    assert text.index("critical grading grading-1: connection refused by registry") < text.index("registered webui")


def test_while_the_registry_believes_no_failure_it_says_so_and_marks_whom_it_suspects(
    world: World, operator: Client
) -> None:
    reason, ends = "3 of 3 instances failed at once", "It ends by itself when for 60 s nothing else has failed"
    world.registry.protection = {"active": True, "since": wire(NOW), "reason": reason, "ends": ends, "suspects": 1}
    world.registry.instances["grading", "grading-1"]["suspect"] = True

    text = text_of(operator.get("/status").content.decode())

    assert f"The registry believes no failure since 23 Nov 12:00:00 UTC It suspects its own network: {reason}." in text
    assert f"marked suspect (1 now). {ends}" in text
    assert "grading-1 passing since 23 Nov 12:00:00 UTC suspect" in text
    assert "All 3 services are passing" not in text


def test_an_empty_registry_is_no_error(world: World, operator: Client) -> None:
    world.registry.requires.clear()
    world.registry.instances.clear()
    assert "No service is registered yet" in text_of(operator.get("/status").content.decode())


def test_a_poll_without_news_swaps_nothing(world: World, operator: Client) -> None:
    seen = look(operator)
    assert operator.get("/status", {"seen": seen}, headers=POLL).status_code == 204


def test_a_poll_swaps_only_the_parts_that_changed(world: World, operator: Client) -> None:
    seen = look(operator)
    world.registry.become("grading", "warning", reason="slow")
    page = operator.get("/status", {"seen": seen}, headers=POLL).content.decode()
    parts = re.findall(r'id="part-([^"]+)"[^>]* hx-swap-oob="innerHTML"', page)
    assert parts == ["summary", "service-grading", "events"]
    assert "<html" not in page


def test_a_poll_swaps_the_whole_board_when_a_service_joins(world: World, operator: Client) -> None:
    seen = look(operator)
    world.registry.requires["billing"] = ["grading"]
    world.registry.become("billing", "passing")
    page = operator.get("/status", {"seen": seen}, headers=POLL).content.decode()
    assert '<div id="board" hx-swap-oob="outerHTML">' in page
    assert 'id="part-service-billing"' in page


def test_without_the_registry_its_last_picture_is_shown_as_such(world: World, operator: Client) -> None:
    look(operator)
    world.down.add("registry")
    page = operator.get("/status")
    text = text_of(page.content.decode())
    assert page.status_code == 200
    assert "The registry has been down since" in text
    assert "Below is what it said at" in text
    assert "grading-1 passing" in text


def test_without_the_registry_from_the_start_the_page_says_so(world: World, operator: Client) -> None:
    world.down.add("registry")
    page = operator.get("/status")
    assert page.status_code == 200
    assert "What changes meanwhile cannot be shown" in page.content.decode()


def test_what_a_service_says_of_itself_is_escaped(world: World, operator: Client) -> None:
    world.registry.become("grading", "critical", reason="<script>alert(1)</script>")
    assert "<script>alert" not in operator.get("/status").content.decode()
