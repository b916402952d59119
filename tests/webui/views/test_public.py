from datetime import datetime
from xml.etree import ElementTree as ET

import pytest
from django.test import Client
from django.utils import timezone

from tests.webui.faked.world import World
from webui import incidents
from webui.board import State
from webui.incidents import Trouble
from webui.models import Incident, PublicPage, Severity

ATOM = "{http://www.w3.org/2005/Atom}"


@pytest.fixture
def now() -> datetime:
    """By the clock of the views, which show the incidents of the last days."""
    return timezone.now()


@pytest.fixture
def switched_on(db: None) -> PublicPage:
    return PublicPage.objects.create(is_enabled=True, title="Our school", services=["webui", "grading"])


def test_nothing_is_public_until_an_operator_says_so(world: World, db: None, client: Client, operator: Client) -> None:
    for address in ("/public", "/public/feed", "/badges/webui.svg"):
        assert client.get(address).status_code == 404
    operator.post("/public/settings", {"is_enabled": "1", "title": "Our school", "services": ["webui"]})
    page = client.get("/public").content.decode()
    assert "Our school" in page
    assert "Everything works" in page
    assert client.get("/badges/webui.svg").status_code == 200
    assert client.get("/badges/grading.svg").status_code == 404
    assert operator.get("/badges/grading.svg").status_code == 200


def test_the_public_learns_states_and_nothing_else(
    world: World, client: Client, switched_on: PublicPage, now: datetime
) -> None:
    world.registry.become("logsvc", "critical", reason="GET http://10.0.0.7:8002/healthz refused")
    trouble = Trouble(
        state=State.CRITICAL, severity=Severity.CRITICAL, reason="10.0.0.7 refused", affected=("grading", "webui")
    )
    incidents.record({"logsvc": trouble}, now=now)
    Incident.objects.update(confirmed_at=now)
    for address in ("/public", "/public/feed", "/badges/webui.svg"):
        answer = client.get(address).content.decode()
        assert "10.0.0.7" not in answer
        assert "logsvc" not in answer
        assert "http://webui.test" not in answer
    assert "webui: degraded" in client.get("/public").content.decode()


def test_the_public_learns_of_each_chosen_service_of_an_incident_and_of_no_other(
    world: World, client: Client, switched_on: PublicPage, now: datetime
) -> None:
    both = Trouble(state=State.MISSING, severity=Severity.CRITICAL, together=("logsvc", "webui"))
    incidents.record({"logsvc": both, "webui": both}, now=now)
    Incident.objects.update(confirmed_at=now)
    answer = client.get("/public/feed").content.decode()
    assert "webui is missing" in answer
    assert "logsvc" not in answer


def test_a_badge_says_the_state_in_svg(world: World, client: Client, switched_on: PublicPage) -> None:
    answer = client.get("/badges/webui.svg")
    assert answer.headers["Content-Type"] == "image/svg+xml"
    assert ET.fromstring(answer.content).attrib["aria-label"] == "webui: passing"  # noqa: S314 -- made by us
    world.registry.become("webui", "critical")


def test_the_feed_is_atom_with_an_entry_for_each_incident(
    world: World, client: Client, switched_on: PublicPage, now: datetime
) -> None:
    trouble = Trouble(state=State.CRITICAL, severity=Severity.CRITICAL)
    incidents.record({"grading": trouble}, now=now)
    Incident.objects.update(confirmed_at=now)
    answer = client.get("/public/feed")
    feed = ET.fromstring(answer.content)  # noqa: S314 -- made by us
    assert answer.headers["Content-Type"].startswith("application/atom+xml")
    assert feed.findtext(f"{ATOM}title") == "Our school"
    assert [entry.findtext(f"{ATOM}title") for entry in feed.iter(f"{ATOM}entry")] == ["grading is critical"]


def test_while_the_registry_is_away_nothing_is_said_to_work(
    world: World, client: Client, switched_on: PublicPage
) -> None:
    client.get("/public")
    world.down.add("registry")
    assert "The state is not known at the moment" in client.get("/public").content.decode()
    assert "webui: unknown" in client.get("/badges/webui.svg").content.decode()
