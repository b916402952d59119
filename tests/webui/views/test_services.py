import re

import pytest
from django.test import Client
from django.utils.html import strip_tags

from tests.webui.faked.world import World

HTMX = {"HX-Request": "true"}
INSTANCE = "/services/grading/instances/grading-1"


def text_of(html: bytes) -> str:
    return " ".join(strip_tags(html.decode()).split())


@pytest.mark.parametrize(
    ("panel", "words"),
    [
        ("instances", "passing 23 Nov 12:00:00 UTC 1.9 ms"),
        ("uptime", "90.00 %"),
        ("deliveries", "failed connection refused"),
        ("events", "registered grading grading-1"),
        ("logs", "grade stored"),
    ],
)
def test_each_panel_loads_by_itself_and_is_a_page_without_scripts(
    world: World, operator: Client, panel: str, words: str
) -> None:
    world.logsvc.add("grade stored")
    address = f"/services/grading/panels/{panel}"
    assert words in text_of(operator.get(address, headers=HTMX).content)
    page = operator.get(address).content.decode()
    assert "<title>" in page


def test_a_panel_shows_what_was_known_last_while_its_provider_is_away(world: World, operator: Client) -> None:
    world.logsvc.add("grade stored")
    address = "/services/grading/panels/logs"
    operator.get(address, headers=HTMX)
    world.down.add("logsvc")
    text = text_of(operator.get(address, headers=HTMX).content)
    assert "The log service has been down since" in text
    assert "What follows was known" in text
    assert "grade stored" in text
    world.down.clear()
    assert "down since" not in text_of(operator.get(address, headers=HTMX).content)


def test_the_page_says_why_the_service_is_as_it_is(world: World, operator: Client) -> None:
    world.registry.become("logsvc", "critical", reason="connection refused")
    page = operator.get("/services/webui").content
    assert "logsvc is down since" in text_of(page)
    assert 'href="http://127.0.0.1:8001/admin/registry/instance/services/webui/"' in page.decode()
    assert operator.get("/services/nobody").status_code == 404


def test_without_the_registry_the_page_answers(world: World, operator: Client) -> None:
    world.down.add("registry")
    assert operator.get("/services/webui").status_code == 200
    assert operator.get("/graph").status_code == 200
    assert "The registry has been down since" in text_of(operator.get(INSTANCE).content)


def test_the_graph_is_drawn_and_listed(world: World, operator: Client) -> None:
    world.registry.become("logsvc", "critical")
    page = operator.get("/graph").content.decode()
    assert len(re.findall(r'<path class="edge edge-unmet"', page)) == 2
    assert len(re.findall(r'<a href="/services/[a-z]+" class="node', page)) == 3
    assert "nobody offers logsvc" in page


@pytest.mark.parametrize(
    ("operation", "form", "told"),
    [
        ("probe", {}, ("POST", "probe", {})),
        ("maintenance", {"reason": "new disk"}, ("PUT", "maintenance", {"reason": "new disk"})),
        ("end-maintenance", {}, ("DELETE", "maintenance", None)),
        ("drain", {"seconds": "5", "reason": ""}, ("POST", "drain", {"seconds": 5, "reason": ""})),
        ("replay", {"since": "1"}, ("POST", "replay", {"since": 1})),
        ("deregister", {"sure": "on"}, ("DELETE", "", None)),
    ],
)
def test_an_operator_operates_in_their_own_name(
    world: World, operator: Client, operation: str, form: dict[str, str], told: tuple[str, str, object]
) -> None:
    answer = operator.post(f"{INSTANCE}/{operation}", form)
    assert answer.status_code == 302
    method, path, body = told
    address = f"/v1{INSTANCE}/{path}".rstrip("/")
    assert world.registry.operations == [(method, address, "operator", body)]
    assert "toast-success" in operator.get("/status").content.decode()


def test_an_instance_that_beats_by_itself_is_not_offered_a_probe(world: World, operator: Client) -> None:
    assert "Probe now" in text_of(operator.get(INSTANCE).content)
    _, _, service, _, name = INSTANCE.split("/")
    world.registry.instances[service, name]["heartbeat"] = {
        "kind": "ttl", "url": "http://elsewhere.test", "interval_seconds": 3600.0
    }  # fmt: skip

    page = text_of(operator.get(INSTANCE).content)

    assert "Probe now" not in page
    assert "ttl: it beats by itself, every 3600 s" in page
    assert "http://elsewhere.test" not in page


def test_maintenance_ends_when_it_was_said_to(world: World, operator: Client) -> None:
    operator.post(f"{INSTANCE}/maintenance", {"minutes": "30"})
    [(_, _, _, body)] = world.registry.operations
    assert re.match(r"\d{4}-\d\d-\d\dT", body["until"])


@pytest.mark.parametrize(
    ("operation", "form", "status"),
    [("drain", {"seconds": "-1"}, 400), ("replay", {"since": "٣"}, 400), ("reboot", {}, 404), ("replay", {}, 400)],
)
def test_what_makes_no_sense_is_refused_and_nothing_is_done(
    world: World, operator: Client, operation: str, form: dict[str, str], status: int
) -> None:
    assert operator.post(f"{INSTANCE}/{operation}", form).status_code == status
    assert world.registry.operations == []


def test_whoever_deregisters_the_last_instance_is_told_who_loses_it(world: World, operator: Client) -> None:
    assert "These lose it: webui" in text_of(operator.get(INSTANCE).content)
    world.registry.become("grading", "passing", number=2)
    assert "1 other instance of grading stays on offer" in text_of(operator.get(INSTANCE).content)


def test_nobody_else_operates(world: World, teacher: Client, student: Client) -> None:
    for client in (teacher, student):
        assert client.post(f"{INSTANCE}/deregister").status_code == 403
        assert client.get(INSTANCE).status_code == 403
    assert world.registry.operations == []
    assert teacher.get(f"{INSTANCE}/deregister").status_code == 405
