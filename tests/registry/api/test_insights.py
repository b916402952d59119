import time
from datetime import datetime

import msgspec
import pytest

from registry.wire import answers
from tests import factories
from tests.registry.conftest import ClientOf

pytestmark = pytest.mark.django_db


def test_the_graph_says_which_service_explains_what_fails_and_who_is_affected(
    client_of: ClientOf, now: datetime
) -> None:
    logsvc = factories.passing("logsvc", now=now)
    grading = factories.passing("grading", now=now, requires=["logsvc"])
    factories.passing("webui", now=now, requires=["grading", "mail"])
    for instance in (logsvc, grading):
        factories.judge(instance, succeeded=False, now=now, times=3)

    body = client_of("read").get("/v1/graph").json()

    assert body["down"] == ["grading", "logsvc", "mail"]
    assert body["roots"] == [["logsvc"], ["mail"]]
    assert body["affected"]["logsvc"] == ["grading", "webui"]
    assert body["unmet"] == {"grading": ["logsvc"], "webui": ["grading", "mail"]}
    assert body["cycles"] == []
    standing = {each.pop("service"): each for each in body["services"]}
    assert standing["grading"]["state"] == "critical"
    assert standing["grading"]["causes"] == ["logsvc"]
    assert standing["logsvc"]["causes"] == []
    assert standing["logsvc"]["since"] == "2026-11-23T12:00:00.000Z"
    assert standing["mail"]["state"] == "missing"
    assert (standing["webui"]["state"], standing["webui"]["causes"]) == ("degraded", ["logsvc", "mail"])
    assert standing["webui"]["since"] == "2026-11-23T12:00:00.000Z"


def test_the_board_answers_every_service_with_its_state_heartbeats_and_uptime(
    client_of: ClientOf, now: datetime
) -> None:
    factories.passing("logsvc", now=now, zone="a", tags=["eu"])
    factories.passing("webui", now=now, requires=["logsvc", "mail"])

    body = client_of("read").get("/v1/board").json()

    msgspec.convert(body, answers.Board)
    logsvc, mail, webui = body["services"]
    assert (logsvc["status"], logsvc["last_heartbeat_at"]) == ("passing", "2026-11-23T12:00:00.000Z")
    assert (logsvc["tags"], logsvc["zones"], logsvc["required_by"]) == (["eu"], ["a"], ["webui"])
    assert (mail["service"], mail["status"], mail["instances"]) == ("mail", "missing", 0)
    assert (webui["status"], webui["causes"]) == ("degraded", ["mail"])


def test_the_heartbeats_of_a_service_say_what_came_last_and_what_comes_next(client_of: ClientOf, now: datetime) -> None:
    instance = factories.passing("logsvc", now=now)
    factories.judge(instance, succeeded=False, now=now)

    (found,) = client_of("read").get("/v1/services/logsvc/heartbeats").json()["heartbeats"]

    assert (found["instance"], found["consecutive_failures"], found["detail"]) == ("logsvc-1", 1, "probed")
    assert found["last_heartbeat_at"] == "2026-11-23T12:00:00.000Z"


def test_an_operator_has_an_instance_probed_now(client_of: ClientOf, now: datetime) -> None:
    instance = factories.passing("logsvc", now=now)
    client = client_of("operate")

    answer = client.post("/v1/services/logsvc/instances/logsvc-1/probe")

    assert (answer.status_code, answer.json()) == (202, {"due": 1})
    instance.heartbeat.refresh_from_db()
    assert instance.heartbeat.due_at <= time.time()
    assert client.post("/v1/services/logsvc/instances/nobody/probe").status_code == 404


def test_an_instance_that_beats_by_itself_cannot_be_probed(client_of: ClientOf, now: datetime) -> None:
    factories.passing("nightly", now=now, heartbeat={"kind": "ttl", "interval_seconds": 3600})

    answer = client_of("operate").post("/v1/services/nightly/instances/nightly-1/probe")

    assert (answer.status_code, answer.json()["type"]) == (409, "urn:rollcall:problem:conflict")
    assert "beats by itself" in answer.json()["detail"]


def test_the_journal_is_read_from_its_end_too_page_by_page(client_of: ClientOf, now: datetime) -> None:
    for number in range(3):
        factories.register("logsvc", f"logsvc-{number}", now=now)
    client = client_of("read")

    first = client.get("/v1/journal?order=newest&limit=2").json()
    last = client.get(f"/v1/journal?order=newest&limit=2&before={first['next']}").json()

    assert [each["instance"] for each in first["entries"]] == ["logsvc-2", "logsvc-1"]
    assert ([each["instance"] for each in last["entries"]], last["next"]) == (["logsvc-0"], None)
    assert client.get("/v1/journal?order=newest&after=1").status_code == 422


def test_a_change_made_for_a_person_is_journalled_in_their_name(client_of: ClientOf, now: datetime) -> None:
    factories.passing("logsvc", now=now)
    client = client_of("read", "operate", "act-for", name="webui")

    client.put("/v1/services/logsvc/maintenance", HTTP_ROLLCALL_ACT_FOR="ada")

    entry = client.get("/v1/journal?order=newest&limit=1").json()["entries"][0]
    assert (entry["change"], entry["author"]) == ("maintenance", "ada (by webui)")
    refused = client_of("operate", name="plain").put("/v1/services/logsvc/maintenance", HTTP_ROLLCALL_ACT_FOR="ada")
    assert refused.status_code == 403
