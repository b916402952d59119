import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils.html import strip_tags

from tests.webui.conftest import SignIn
from tests.webui.faked.call import NOW
from tests.webui.faked.world import World
from webui.roles import Role

POLL = {"HX-Request": "true", "HX-Trigger": "status-poll"}
SEEN = re.compile(r'id="seen" value="([0-9a-f]+)"')


def text_of(html: str) -> str:
    return " ".join(strip_tags(html).split())


def look(client: Client) -> str:
    match = SEEN.search(client.get("/status").content.decode())
    assert match
    return match[1]


def poll(client: Client, seen: str) -> str:
    return client.get("/status", {"seen": seen}, headers=POLL).content.decode()


def test_the_page_shows_every_service_with_its_figures(world: World, operator: Client) -> None:
    text = text_of(operator.get("/status").content.decode())
    assert "All 3 services are passing" in text
    assert "passing grading 1 of 1 instances passing 98.50 % passed in 90 days" in text
    assert "1.9 ms" in text
    assert "As of" in text


def test_what_explains_what_is_asked_again_only_when_something_changed(world: World, operator: Client) -> None:
    for _ in range(3):
        operator.get("/status")
    assert world.asked.count("/v1/graph") == 1
    world.registry.become("grading", "critical")
    assert "webui is degraded because of it" in text_of(operator.get("/status").content.decode())
    assert world.asked.count("/v1/graph") == 2


def test_the_root_cause_comes_first(world: World, operator: Client) -> None:
    world.registry.become("grading", "critical", reason="connection refused")
    text = text_of(operator.get("/status").content.decode())
    assert "grading is down since 23 Nov 12:00:00 UTC; webui is degraded because of it Connection refused" in text
    assert "critical grading connection refused" in text
    assert "degraded webui because of grading" in text


def test_what_else_is_down_is_told_apart_from_what_is_degraded(world: World, operator: Client) -> None:
    world.registry.become("grading", "critical")
    world.registry.become("logsvc", "critical")
    text = text_of(operator.get("/status").content.decode())
    assert "logsvc is down since 23 Nov 12:00:00 UTC; grading is down; webui is degraded because of it" in text


def test_a_required_service_that_left_is_missing_as_the_registry_calls_it(world: World, operator: Client) -> None:
    world.registry.deregister("logsvc")
    text = text_of(operator.get("/status").content.decode())
    assert "logsvc is missing" in text
    assert "missing logsvc" in text
    assert "not registered" not in text


def test_a_service_that_was_taken_out_on_purpose_is_not_called_down(world: World, operator: Client) -> None:
    world.registry.become("grading", "maintenance")
    assert "grading is in maintenance since" in text_of(operator.get("/status").content.decode())


def test_while_the_registry_believes_no_failure_it_says_so(world: World, operator: Client) -> None:
    world.registry.protection = {"active": True, "since": None, "reason": "9 of 9 fail", "ends": "Soon.", "suspects": 9}
    text = text_of(operator.get("/status").content.decode())
    assert "The registry believes no failure It suspects its own network: 9 of 9 fail." in text


def test_a_registry_that_does_not_probe_is_said_and_nothing_is_called_well(world: World, operator: Client) -> None:
    seen = look(operator)
    world.registry.findings = ["No instance has been probed since 12:04:10 UTC: the heartbeats worker does nothing."]

    for text in (text_of(operator.get("/status").content.decode()), text_of(poll(operator, seen))):
        assert "what is shown below may be out of date No instance has been probed since 12:04:10 UTC" in text
        assert "are passing" not in text


def test_an_empty_registry_says_what_to_do(world: World, operator: Client) -> None:
    world.registry.requires.clear()
    world.registry.instances.clear()
    assert "register_service billing" in text_of(operator.get("/status").content.decode())


def test_the_filter_stands_in_the_address(world: World, operator: Client) -> None:
    page = operator.get("/status", {"q": "grad", "state": "passing", "group": "zone"}).content.decode()
    assert re.findall(r'id="row-([^"]+)"', page) == ["grading"]
    assert 'value="grad"' in page
    assert '<option value="zone" selected>' in page
    assert "No service matches" in operator.get("/status", {"q": "nothing"}).content.decode()


def test_a_poll_swaps_only_what_changed(world: World, operator: Client) -> None:
    seen = look(operator)
    world.registry.become("webui", "passing", at=NOW + timedelta(minutes=1))
    page = poll(operator, seen)
    swapped = set(re.findall(r'<div id="([^"]+)" hx-swap-oob="innerHTML"', page))
    assert {"as-of", "events", "row-webui"} <= swapped
    assert not swapped & {"summary", "row-grading", "row-logsvc"}
    assert "<html" not in page


@pytest.mark.parametrize("seen", ["", "0123456789abcdef", "x" * 3000])
def test_a_poll_with_a_forgotten_picture_gets_the_whole_board(world: World, operator: Client, seen: str) -> None:
    assert '<div id="board" hx-swap-oob="outerHTML">' in poll(operator, seen)


def test_a_poll_gets_the_whole_board_when_a_service_joins(world: World, operator: Client) -> None:
    seen = look(operator)
    world.registry.requires["billing"] = ["grading"]
    world.registry.become("billing", "passing")
    page = poll(operator, seen)
    assert '<div id="board" hx-swap-oob="outerHTML">' in page
    assert 'id="row-billing"' in page
    assert "All 4 services are passing" in page


def test_without_the_registry_its_last_picture_is_shown_as_such(world: World, operator: Client) -> None:
    look(operator)
    world.down.add("registry")
    page = operator.get("/status")
    text = text_of(page.content.decode())
    assert page.status_code == 200
    assert "The registry has been down since" in text
    assert "Below is what it said at" in text
    assert "passing grading" in text


def test_without_the_registry_from_the_start_the_page_says_so(world: World, operator: Client) -> None:
    world.down.add("registry")
    page = operator.get("/status")
    assert page.status_code == 200
    assert "cannot be shown until it is back" in page.content.decode()


def test_what_a_service_says_of_itself_is_escaped(world: World, operator: Client) -> None:
    world.registry.become("grading", "critical", reason="<script>alert(1)</script>")
    assert "<script>alert" not in operator.get("/status").content.decode()


def test_five_hundred_services_fold_to_what_needs_attention(world: World, operator: Client) -> None:
    for number in range(500):
        world.registry.requires[f"s{number:03}"] = []
        world.registry.become(f"s{number:03}", "critical" if number == 7 else "passing")
    page = operator.get("/status").content.decode()
    assert re.findall(r'id="row-([^"]+)"', page) == ["s007"]
    assert "Show 502 services that are passing" in text_of(page)
    assert len(page) < 40_000
    opened = operator.get("/status", {"open": "passing"}).content.decode()
    assert len(re.findall(r'id="row-', opened)) == 101
    assert "402 more are not shown" in text_of(opened)
    whole = operator.get("/status", {"open": "passing", "rows": "600"}).content.decode()
    assert len(re.findall(r'id="row-', whole)) == 503


def test_a_teacher_sees_states_and_no_operations(world: World, teacher: Client, sign_in: SignIn) -> None:
    assert "All 3 services are passing" in teacher.get("/status").content.decode()
    page = teacher.get("/services/grading").content.decode()
    assert "panel-instances" in page
    assert "panel-logs" not in page
    assert teacher.get("/services/grading/panels/logs").status_code == 404
    assert teacher.get("/services/grading/instances/grading-1").status_code == 403
    assert sign_in("s", Role.STUDENT).get("/services/grading").status_code == 403
