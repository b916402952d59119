"""POST and GET /v1/records, as the first release's clients know them."""

import gzip
import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pytest_django import Settings
from rest_framework.test import APIClient

from logsvc.storage.current import store
from tests.logsvc import factories
from tests.logsvc.factories import NOW_NS, ndjson, record
from tests.logsvc.strategies import steady

if TYPE_CHECKING:
    from rest_framework.response import _MonkeyPatchedResponse as Answer


def post(client: APIClient, body: bytes, **headers: str) -> "Answer":
    return factories.post(client, body, path="/v1/records", **headers)


ONE = ndjson({"message": "one"})


def problem(response: "Answer", status: int, code: str) -> dict[str, object]:
    assert response.status_code == status, response.content
    assert response["Content-Type"] == "application/problem+json"
    body: dict[str, object] = json.loads(response.content)
    assert body["type"] == f"urn:rollcall:problem:{code}"
    return body


def test_a_batch_is_kept_and_counted(writer: APIClient) -> None:
    response = post(writer, ndjson({"message": "one"}, {"message": "two"}))

    assert response.status_code == 200
    assert response.json() == {"accepted": 2, "rejected": []}
    assert factories.arrivals() == ["one", "two"]


def test_a_record_keeps_every_member_it_came_with(writer: APIClient, reader: APIClient) -> None:
    members = {
        "time": "2026-11-23T11:59:30.250000Z",
        "level": "ERROR",
        "service": "billing",
        "instance": "billing-1",
        "logger": "billing.invoices",
        "message": "no invoice",
        "attributes": {"invoice": 7, "tags": ["a", "ü"]},
        "exception": "Traceback ...",
    }

    post(writer, ndjson(members))

    (kept,) = reader.get("/v1/records").json()["records"]
    assert kept["id"] > 0
    assert kept["received_at"].endswith("Z")
    assert kept == members | {"id": kept["id"], "received_at": kept["received_at"]}


def test_a_record_of_which_only_the_message_is_given_is_of_the_tokens_service(
    writer: APIClient, reader: APIClient
) -> None:
    post(writer, ONE)

    (kept,) = reader.get("/v1/records").json()["records"]
    assert (kept["service"], kept["level"]) == ("grading", "INFO")
    assert kept["time"] <= kept["received_at"]


def test_a_bad_line_costs_no_good_one_and_is_named(writer: APIClient) -> None:
    body = b'{"message": "one"}\n{"message": 5}\n\nnonsense\n{"message": "two"}'

    answer = post(writer, body).json()

    assert answer["accepted"] == 2
    assert answer["rejected"][0] == {"line": 2, "detail": "Expected `str | null`, got `int` - at `$.message`"}
    assert [each["line"] for each in answer["rejected"]] == [2, 4]
    assert factories.arrivals() == ["one", "two"]


def test_at_most_a_hundred_bad_lines_are_listed(writer: APIClient) -> None:
    answer = post(writer, b"nonsense\n" * 150 + ONE).json()

    assert answer["accepted"] == 1
    assert len(answer["rejected"]) == 100


def test_a_batch_sent_again_is_kept_once(writer: APIClient) -> None:
    body = ndjson({"message": "one", "uid": "6f1c6bd0c1a14f0c9c1d8f7b6a5e4d3c"}, {"message": "two", "uid": "line-2"})

    answers = [post(writer, body).json(), post(writer, body).json()]

    assert [answer["accepted"] for answer in answers] == [2, 2]
    assert factories.arrivals() == ["one", "two"]


def test_an_empty_batch_succeeds(writer: APIClient) -> None:
    assert post(writer, b"").json() == {"accepted": 0, "rejected": []}


def test_a_compressed_batch_is_taken(writer: APIClient) -> None:
    response = post(writer, gzip.compress(ONE), content_encoding="gzip")

    assert response.json()["accepted"] == 1


def test_a_body_that_is_not_the_gzip_it_is_said_to_be_is_refused(writer: APIClient) -> None:
    for body in (ONE, gzip.compress(ONE)[:-9], b"\x1f\x8b"):
        assert "gzip" in str(problem(post(writer, body, content_encoding="gzip"), 400, "bad-request")["detail"])


def test_a_compressed_body_that_is_too_large_inside_is_refused(writer: APIClient, settings: Settings) -> None:
    settings.BODY_LIMIT_BYTES = 100_000

    response = post(writer, gzip.compress(b" " * 10_000_000), content_encoding="gzip")

    assert problem(response, 413, "body-too-large")["limit_bytes"] == 100_000


def test_another_encoding_or_type_is_refused_and_the_right_one_named(writer: APIClient) -> None:
    encoded = problem(post(writer, ONE, content_encoding="br"), 415, "unsupported-media-type")
    typed = writer.post("/v1/records", "{}", content_type="application/xml")

    assert "use gzip" in str(encoded["detail"])
    assert "application/x-ndjson" in str(problem(typed, 415, "unsupported-media-type")["detail"])


def test_a_token_is_needed_with_the_scope_of_the_method(writer: APIClient, reader: APIClient) -> None:
    problem(post(APIClient(), ONE), 401, "unauthenticated")
    problem(post(reader, ONE), 403, "forbidden")
    problem(writer.get("/v1/records"), 403, "forbidden")
    problem(reader.delete("/v1/records"), 405, "method-not-allowed")


def test_records_come_newest_first_in_pages_that_never_overlap(reader: APIClient) -> None:
    factories.keep_each(str(number) for number in range(5))

    first = reader.get("/v1/records?limit=2").json()
    factories.keep(record("new", time_ns=NOW_NS + 3_600_000_000_000), received_ns=NOW_NS + 3_600_000_000_000)
    second = reader.get(f"/v1/records?limit=2&before={first['next']}").json()
    third = reader.get(f"/v1/records?limit=2&before={second['next']}").json()

    pages = [[record["message"] for record in page["records"]] for page in (first, second, third)]
    assert pages == [["4", "3"], ["2", "1"], ["0"]]
    assert third["next"] is None


@pytest.mark.parametrize(
    ("query", "messages"),
    [
        ("service=webui", ["slow"]),
        ("level=warning", ["slow", "broken"]),
        ("level=40", ["broken"]),
        ("q=LOW", ["slow"]),
        ("q=zerodivision", ["broken"]),
        ("since=2026-11-23T12:00:00Z", ["slow", "broken"]),
        ("until=2026-11-23T12:00:00Z", ["fine"]),
        ("since=1795435200&level=error", ["broken"]),
        ("q=100%25", []),
        ("service=&level=&q=&limit=", ["slow", "broken", "fine"]),
    ],
)
def test_filters_narrow_what_is_listed(reader: APIClient, query: str, messages: list[str]) -> None:
    factories.keep(
        record("fine", time_ns=NOW_NS - 3_600_000_000_000),
        record("broken", severity=17, attributes={"exception.stacktrace": "ZeroDivisionError"}),
        record("slow", severity=13, service="webui"),
    )

    listed = reader.get(f"/v1/records?{query}").json()["records"]

    assert [record["message"] for record in listed] == messages


def test_every_wrong_parameter_is_named(reader: APIClient) -> None:
    query = "level=loud&since=yesterday&until=noon&before=-1&limit=1001&q=" + "x" * 501

    body = problem(reader.get(f"/v1/records?{query}"), 422, "invalid")

    errors = body["errors"]
    assert isinstance(errors, list)
    assert [each["pointer"] for each in errors] == ["/level", "/q", "/since", "/until", "/before", "/limit"]
    assert (
        errors[0]["detail"]
        == "'loud' is not a level: use TRACE, DEBUG, INFO, WARN, ERROR, FATAL or a number of Python's."
    )


def test_a_parameter_that_nobody_knows_is_refused_as_it_would_find_everything(reader: APIClient) -> None:
    (error,) = reader.get("/v1/records?serivce=grading").json()["errors"]

    assert error["pointer"] == "/serivce"
    assert error["detail"] == "There is no such parameter: use service, level, q, since, until, before, limit."


def test_services_are_listed_with_how_many_records_they_have(reader: APIClient) -> None:
    factories.keep(record(), record(), record(service="webui"))

    listed = reader.get("/v1/services").json()

    assert listed == {"services": [{"service": "grading", "records": 2}, {"service": "webui", "records": 1}]}


@pytest.mark.django_db
def test_an_address_that_is_none_is_a_problem_too() -> None:
    problem(APIClient().get("/v2/records"), 404, "not-found")


@steady
@given(noise=st.lists(st.binary(max_size=60).map(lambda piece: piece.replace(b"\n", b"")), max_size=6))
@example(noise=[b'{"message": "\\ud800"}', b'{"message": "\\u0000"}', b"[" * 5000, b'{"message": "x", "time": 1e308}'])
@example(noise=[b'{"message": "x", "level": 99999999999999999999}', b'{"message": "x", "uid": "\\u0000"}'])
@example(noise=[b'{"message": "x", "attributes": ' + b'{"a":' * 400 + b"1" + b"}" * 401])
@example(noise=[b"\xef\xbb\xbf", b"\r", b'{"message": "x", "time": "9999-12-31T23:59:59-12:00"}'])
def test_arbitrary_bytes_among_the_lines_lose_no_good_line(writer: APIClient, noise: list[bytes]) -> None:
    store().delete(factories.stored())
    good = [ndjson({"message": f"good {number}"}).rstrip() for number in range(len(noise) + 1)]
    lines = [line for pair in zip(good, noise, strict=False) for line in pair] + good[-1:]

    response = post(writer, b"\n".join(lines))

    assert response.status_code == 200
    kept = factories.arrivals()
    assert response.json()["accepted"] == len(kept)
    assert [message for message in kept if message.startswith("good ")] == [f"good {n}" for n in range(len(good))]


@steady
@given(
    query=st.dictionaries(
        st.sampled_from(["service", "level", "q", "since", "until", "before", "limit"]),
        st.text(max_size=30) | st.integers().map(str) | st.datetimes().map(str),
    )
)
@example(query={"service": "\0"})
@example(query={"before": str(2**63 - 1), "since": "0001-01-01T00:00:00Z", "until": "9999-12-31T23:59:59Z"})
def test_any_question_is_answered_or_refused(reader: APIClient, query: dict[str, str]) -> None:
    assert reader.get("/v1/records", query).status_code in (200, 422)
