"""/api/v1/logs and what is below it."""

import json
import time
from typing import TYPE_CHECKING, Any

import pytest
from rest_framework.test import APIClient

from logsvc.record import NANOSECONDS
from logsvc.storage.current import store
from tests.logsvc import factories
from tests.logsvc.factories import NOW_NS, PAST_NS, keep, keep_each, ndjson, post, record

if TYPE_CHECKING:
    from rest_framework.response import _MonkeyPatchedResponse as Answer

pytestmark = pytest.mark.django_db
LOGS = "/api/v1/logs"


def problem(response: "Answer", status: int) -> dict[str, Any]:
    assert response.status_code == status, response.content
    assert response["Content-Type"] == "application/problem+json"
    body: dict[str, Any] = json.loads(response.content)
    return body


def bodies(response: "Answer") -> list[str]:
    assert response.status_code == 200, response.content
    return [each["message"] for each in response.json()["records"]]


def test_a_record_is_shown_with_every_member_it_came_with(writer: APIClient, reader: APIClient) -> None:
    members = {
        "time": "2023-11-23T11:59:30.250000001Z",
        "observed_time": "2023-11-23T11:59:31.000000Z",
        "severity_number": 18,
        "severity_text": "ERR",
        "service": "billing",
        "instance": "billing-1",
        "host": "h1",
        "logger": "billing.invoices",
        "message": "no invoice",
        "attributes": {"invoice": 7, "tags": ["a", "ü"]},
        "trace_id": "5b8efff798038103d269b633813fc60c",
        "span_id": "eee19b7ec3c1b174",
        "uid": "6f1c6bd0c1a14f0c9c1d8f7b6a5e4d3c",
    }

    assert post(writer, ndjson(members)).json() == {"accepted": 1, "rejected": []}

    (kept,) = reader.get(LOGS).json()["records"]
    assert kept == members | {
        "id": kept["id"],
        "seq": kept["seq"],
        "received_at": kept["received_at"],
        "level": "ERROR",
        "token": "grading",
        "notes": [],
    }
    assert reader.get(f"{LOGS}/{kept['id']}").json() == kept


def test_what_an_answer_shows_can_be_sent_again_and_is_the_same(writer: APIClient, reader: APIClient) -> None:
    keep(record(attributes={"exception.stacktrace": "Traceback"}, host="h", severity=14, time_ns=PAST_NS))
    (shown,) = reader.get(LOGS).json()["records"]
    store().delete(factories.stored())

    post(writer, ndjson(shown))

    (again,) = reader.get(LOGS).json()["records"]
    changed = {"id", "seq", "received_at", "token"}
    assert {k: v for k, v in again.items() if k not in changed} == {k: v for k, v in shown.items() if k not in changed}


def test_records_come_in_pages(reader: APIClient) -> None:
    keep_each("abc")

    first = reader.get(f"{LOGS}?limit=2").json()
    second = reader.get(f"{LOGS}?limit=2&cursor={first['next']}")

    assert ([each["message"] for each in first["records"]], bodies(second)) == (["c", "b"], ["a"])
    assert (second.json()["next"], second.json()["complete"]) == (None, True)


def test_a_query_and_a_range_narrow_what_is_found(reader: APIClient) -> None:
    keep_each(["timed out", "timed in"], severity=17)

    assert bodies(reader.get(LOGS, {"q": 'level>=error "timed out" service:grading'})) == ["timed out"]
    assert bodies(reader.get(LOGS, {"from": "2026-11-23T12:00:00.001Z"})) == ["timed in"]
    assert bodies(reader.get(LOGS, {"to": str(NOW_NS + 1_000_000)})) == ["timed out"]
    now_ns = time.time_ns()
    keep(record("just now", time_ns=now_ns), received_ns=now_ns)
    assert bodies(reader.get(LOGS, {"from": "now-1h", "to": "now"})) == ["just now"]


def test_a_wrong_question_is_explained_member_by_member(reader: APIClient) -> None:
    query = {"q": "a foo:b", "from": "2026-01-01T00:00:00 01:00", "cursor": "x", "limit": "0", "sort": "up"}

    errors = problem(reader.get(LOGS, query), 422)["errors"]

    assert [each["pointer"] for each in errors] == ["/q", "/from", "/cursor", "/limit", "/sort"]
    assert "wrong at character 3: there is no field 'foo'" in errors[0]["detail"]
    assert "%2B" in errors[1]["detail"]
    assert "use q, from, to, cursor, limit" in errors[4]["detail"]


def test_the_context_of_a_record_is_what_its_instance_wrote_around_it(reader: APIClient) -> None:
    keep_each("abcde", instance="one")
    identifier = factories.stored("c")[0].id

    found = reader.get(f"{LOGS}/{identifier}/context?before=1&after=5").json()

    assert [each["message"] for each in found["before"]] == ["b"]
    assert found["record"]["message"] == "c"
    assert [each["message"] for each in found["after"]] == ["d", "e"]


def test_a_record_that_is_none_is_a_problem(reader: APIClient) -> None:
    for identifier in ("7", "9" * 30):
        assert problem(reader.get(f"{LOGS}/{identifier}"), 404)["type"] == "urn:rollcall:problem:not-found"


def test_a_histogram_counts_levels_over_time(reader: APIClient) -> None:
    keep(record(), record(severity=17), record(time_ns=NOW_NS + 61 * NANOSECONDS))
    query = {"from": "2026-11-23T12:00:00Z", "to": "2026-11-23T12:02:00Z", "step": "1m"}

    found = reader.get(f"{LOGS}/histogram", query).json()

    assert [(each["time"], each["total"], each["levels"]) for each in found["buckets"]] == [
        ("2026-11-23T12:00:00.000000Z", 2, {"INFO": 1, "ERROR": 1}),
        ("2026-11-23T12:01:00.000000Z", 1, {"INFO": 1}),
    ]
    assert (found["step_seconds"], found["complete"]) == (60, True)
    words = reader.get(f"{LOGS}/histogram", query | {"q": "grade"}).json()
    assert [each["total"] for each in words["buckets"]] == [2, 1]


def test_a_histogram_chooses_a_step_that_fits_and_refuses_one_that_does_not(reader: APIClient) -> None:
    day = {"from": "2026-11-23T00:00:00Z", "to": "2026-11-24T00:00:00Z"}

    assert reader.get(f"{LOGS}/histogram", day).json()["step_seconds"] == 1800
    assert len(reader.get(f"{LOGS}/histogram", day | {"buckets": "1"}).json()["buckets"]) == 1
    (error,) = problem(reader.get(f"{LOGS}/histogram", day | {"step": "1s"}), 422)["errors"]
    assert error["pointer"] == "/step"
    far = {"from": "1700-01-01T00:00:00Z", "to": "2260-01-01T00:00:00Z"}
    assert len(reader.get(f"{LOGS}/histogram", far).json()["buckets"]) <= 1000


def test_facets_are_counted_for_the_fields_that_are_asked_for(reader: APIClient) -> None:
    keep_each("ab", attributes={"order": 7})

    found = reader.get(f"{LOGS}/facets?field=service,attr.order").json()

    assert found == {
        "facets": {
            "service": [{"value": "grading", "records": 2}],
            "attr.order": [{"value": "7", "records": 2}],
        },
        "counted": 2,
        "complete": True,
    }
    assert "is not a field" in problem(reader.get(f"{LOGS}/facets?field=colour"), 422)["errors"][0]["detail"]


def test_arrivals_are_a_tail_in_single_answers(reader: APIClient) -> None:
    cursor = reader.get(f"{LOGS}/arrivals").json()["cursor"]
    keep_each("abc")

    first = reader.get(f"{LOGS}/arrivals?cursor={cursor}&q=-a&limit=2").json()
    second = reader.get(f"{LOGS}/arrivals?cursor={first['cursor']}").json()

    assert [each["message"] for each in first["records"]] == ["b"]
    assert [each["message"] for each in second["records"]] == ["c"]
    assert second["gapless"] is True


def test_a_token_sees_its_services_alone() -> None:
    keep_each("ab", service="team-a")
    keep_each("c", service="other")
    team = factories.caller("team", "read:team-*")

    assert bodies(team.get(LOGS)) == ["b", "a"]
    assert bodies(team.get(f"{LOGS}?q=service:other")) == []
    assert bodies(team.get(f"{LOGS}?q=NOT service:team-a")) == []
    assert team.get("/api/v1/services").json() == {"services": [{"service": "team-a", "records": 2}]}
    histogram = team.get(f"{LOGS}/histogram?from=2026-11-23T12:00:00Z&to=2026-11-23T12:01:00Z").json()
    assert sum(each["total"] for each in histogram["buckets"]) == 2
    assert team.get(f"{LOGS}/facets?field=service").json()["counted"] == 2
    assert [each["message"] for each in team.get(f"{LOGS}/arrivals?cursor=0").json()["records"]] == ["a", "b"]
    other = factories.stored("c")[0].id
    assert problem(team.get(f"{LOGS}/{other}"), 404) == problem(team.get(f"{LOGS}/{other}"), 404)
    assert team.get(f"{LOGS}/{other}/context").status_code == 404
    assert bodies(team.get("/v1/records")) == ["b", "a"]


@pytest.mark.parametrize("path", [LOGS, f"{LOGS}/7", f"{LOGS}/histogram", f"{LOGS}/facets", "/api/v1/services"])
def test_a_token_that_may_only_write_reads_nothing(path: str) -> None:
    writer = factories.caller("writer", "log:write", "write:x")

    problem(writer.get(path), 403)
    problem(APIClient().get(path), 401)


def test_a_token_may_write_for_its_services_alone_and_stands_for_its_only_one() -> None:
    team = factories.caller("ci", "write:billing")

    answer = post(team, ndjson({"message": "mine"}, {"message": "theirs", "service": "grading"})).json()

    assert (answer["accepted"], answer["rejected"][0]["line"]) == (1, 2)
    assert [(each.service, each.token) for each in factories.stored()] == [("billing", "ci")]
    problem(post(factories.caller("only", "read:billing"), ndjson({"message": "x"})), 403)
