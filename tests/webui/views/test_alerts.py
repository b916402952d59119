import pytest
from django.db import connection
from django.test import Client
from pytest_django import Settings

from tests.webui.faked.world import World
from tests.webui.test_delivery import listening
from webui import alerts, incidents, tasks
from webui.models import Channel, Incident, Message

FORM = {
    "name": "on call",
    "url": "json://127.0.0.1:1/secret-token",
    "services": "grading team-*",
    "severity": "critical",
    "zone": "Europe/Berlin",
    "quiet_from": "22:00",
    "quiet_until": "07:00",
    "remind_minutes": "60",
    "is_enabled": "on",
}


def test_a_channel_is_made_and_its_address_is_neither_shown_nor_stored_as_it_is(operator: Client) -> None:
    assert operator.post("/alerts/channels/new", FORM).status_code == 302
    made = Channel.objects.get()
    assert (made.services, made.url) == (["grading", "team-*"], FORM["url"])
    page = operator.get(f"/alerts/channels/{made.pk}").content.decode() + operator.get("/alerts").content.decode()
    assert "secret-token" not in page
    with connection.cursor() as cursor:
        cursor.execute("SELECT url FROM webui_channel")
        assert "secret-token" not in cursor.fetchone()[0]
    operator.post(f"/alerts/channels/{made.pk}", FORM | {"url": "", "name": "night"})
    made.refresh_from_db()
    assert (made.name, made.url) == ("night", FORM["url"])
    operator.post(f"/alerts/channels/{made.pk}/delete")
    assert not Channel.objects.exists()


@pytest.mark.parametrize(
    "wrong",
    [{"url": "file:///etc/passwd"}, {"zone": "Mars"}, {"quiet_until": ""}, {"remind_minutes": "0"}, {"name": ""}],
)
def test_what_is_wrong_with_a_channel_is_said_beside_it(operator: Client, wrong: dict[str, str]) -> None:
    answer = operator.post("/alerts/channels/new", FORM | wrong)
    assert answer.status_code == 422
    assert not Channel.objects.exists()


def test_a_channel_is_tried(operator: Client) -> None:
    with listening() as (port, taken):
        operator.post("/alerts/channels/new", FORM | {"url": f"json://127.0.0.1:{port}/"})
        operator.post(f"/alerts/channels/{Channel.objects.get().pk}/try")
    assert b"this is only a trial" in taken[0][1]
    assert b'"title": "Trial: example is critical"' in taken[0][1]
    assert not Message.objects.exists()


def test_an_outage_reaches_whoever_wants_to_know_and_the_page(
    world: World, operator: Client, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    monkeypatch.setattr(incidents, "CONFIRMED_AFTER", incidents.CONFIRMED_AFTER * 0)
    world.registry.become("logsvc", "critical", reason="connection refused")
    with listening() as (port, taken):
        operator.post(
            "/alerts/channels/new", FORM | {"url": f"json://127.0.0.1:{port}/", "quiet_from": "", "quiet_until": ""}
        )
        tasks.watch()
        tasks.watch()
        world.registry.become("logsvc", "passing")
        tasks.watch()
    assert [b"Resolved" in body for _, body in taken] == [False, True]
    page = operator.get("/alerts").content.decode()
    assert "logsvc is critical" in page
    assert "grading, webui" in page
    assert "Critical: grading, team-*" in page


def test_a_channel_that_takes_its_time_keeps_nobody_from_watching(
    world: World, operator: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(incidents, "CONFIRMED_AFTER", incidents.CONFIRMED_AFTER * 0)
    # What was sent took longer than that, whatever it took.
    monkeypatch.setattr(tasks, "SENDING_SECONDS", 0.0)
    for service in ("logsvc", "zoo"):
        world.registry.requires.setdefault(service, [])
        world.registry.become(service, "critical", reason="connection refused")
    with listening() as (port, taken):
        free = {"url": f"json://127.0.0.1:{port}/", "services": "", "quiet_from": "", "quiet_until": ""}
        operator.post("/alerts/channels/new", FORM | free)
        sent = []
        for _ in range(3):
            tasks.watch()
            sent.append(len(taken))
    assert sent == [1, 2, 2]


def test_the_registry_itself_is_watched_too(world: World, db: None) -> None:
    world.down.add("registry")
    tasks.watch()
    assert Incident.objects.get().service == "registry"
    assert alerts.write(now=Incident.objects.get().began_at) == []


def test_alerts_are_for_operators(db: None, teacher: Client) -> None:
    addresses = ["/alerts", "/alerts/channels/new", "/public/settings"]
    assert {teacher.get(address).status_code for address in addresses} == {403}
