"""OTLP, as the real OpenTelemetry SDK writes it and as its specification allows it."""

import contextlib
import json
from typing import Any

import pytest
from google.rpc.status_pb2 import Status
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest, ExportLogsServiceResponse
from rest_framework.test import APIClient

from config.problems import Problem
from logsvc.ingest import otlp
from logsvc.record import Record
from tests.logsvc import factories
from tests.logsvc.factories import NOW_NS
from tests.logsvc.ingest.senders import ANYBODY
from tests.logsvc.strategies import any_json, steady

TRACE, SPAN = "5b8efff798038103d269b633813fc60c", "eee19b7ec3c1b174"
# The example of the specification's own repository, shortened.
EXAMPLE: dict[str, Any] = {
    "resourceLogs": [
        {
            "resource": {
                "attributes": [
                    {"key": "service.name", "value": {"stringValue": "my.service"}},
                    {"key": "service.instance.id", "value": {"stringValue": "my-1"}},
                    {"key": "host.name", "value": {"stringValue": "h1"}},
                    {"key": "region", "value": {"stringValue": "eu"}},
                ]
            },
            "scopeLogs": [
                {
                    "scope": {"name": "my.package", "version": "1.0.0"},
                    "logRecords": [
                        {
                            "timeUnixNano": str(NOW_NS + 7),
                            "observedTimeUnixNano": NOW_NS + 9,
                            "severityNumber": 10,
                            "severityText": "Information",
                            "traceId": TRACE.upper(),
                            "spanId": SPAN.upper(),
                            "body": {"stringValue": "Example log record"},
                            "attributes": [
                                {"key": "string", "value": {"stringValue": "some string"}},
                                {"key": "boolean", "value": {"boolValue": True}},
                                {"key": "int", "value": {"intValue": "10"}},
                                {"key": "double", "value": {"doubleValue": 637.704}},
                                {"key": "array", "value": {"arrayValue": {"values": [{"stringValue": "a"}]}}},
                                {
                                    "key": "map",
                                    "value": {"kvlistValue": {"values": [{"key": "k", "value": {"intValue": 1}}]}},
                                },
                                {"key": "region", "value": {"stringValue": "own"}},
                                {"key": "log.record.uid", "value": {"stringValue": "uid-1"}},
                            ],
                            "unknown": 1,
                        }
                    ],
                }
            ],
        }
    ]
}


def from_json(body: Any) -> list[Record]:
    return otlp.read(json.dumps(body).encode(), sender=ANYBODY, content_type=otlp.JSON).records


def one(**members: Any) -> dict[str, Any]:
    return {"resourceLogs": [{"scopeLogs": [{"logRecords": [members]}]}]}


def check_example(found: Record) -> None:
    assert (found.service, found.instance, found.host, found.logger) == ("my.service", "my-1", "h1", "my.package")
    assert (found.time_ns, found.observed_ns) == (NOW_NS + 7, NOW_NS + 9)
    assert (found.severity, found.severity_text, found.body) == (10, "Information", "Example log record")
    assert (found.trace_id, found.span_id) == (TRACE, SPAN)
    assert found.attributes == {
        "region": "own",
        "resource.region": "eu",
        "otel.scope.version": "1.0.0",
        "string": "some string",
        "boolean": True,
        "int": 10,
        "double": 637.704,
        "array": ["a"],
        "map": {"k": 1},
    }
    assert len(found.uid) == 32


def test_every_member_of_a_json_record_is_kept() -> None:
    (found,) = from_json(EXAMPLE)

    check_example(found)


def test_protobuf_says_the_same_as_json() -> None:
    request = ExportLogsServiceRequest()
    resource_logs = request.resource_logs.add()
    for pair in EXAMPLE["resourceLogs"][0]["resource"]["attributes"]:
        resource_logs.resource.attributes.add(key=pair["key"]).value.string_value = pair["value"]["stringValue"]
    scope_logs = resource_logs.scope_logs.add()
    scope_logs.scope.name, scope_logs.scope.version = "my.package", "1.0.0"
    each = scope_logs.log_records.add(
        time_unix_nano=NOW_NS + 7,
        observed_time_unix_nano=NOW_NS + 9,
        severity_number=10,
        severity_text="Information",
        trace_id=bytes.fromhex(TRACE),
        span_id=bytes.fromhex(SPAN),
    )
    each.body.string_value = "Example log record"
    each.attributes.add(key="string").value.string_value = "some string"
    each.attributes.add(key="boolean").value.bool_value = True
    each.attributes.add(key="int").value.int_value = 10
    each.attributes.add(key="double").value.double_value = 637.704
    each.attributes.add(key="array").value.array_value.values.add(string_value="a")
    each.attributes.add(key="map").value.kvlist_value.values.add(key="k").value.int_value = 1
    each.attributes.add(key="region").value.string_value = "own"
    each.attributes.add(key="log.record.uid").value.string_value = "uid-1"

    (found,) = otlp.read(request.SerializeToString(), sender=ANYBODY, content_type=otlp.PROTOBUF).records

    check_example(found)


def test_a_time_is_the_records_own_else_when_it_was_observed_else_now() -> None:
    assert from_json(one(timeUnixNano="5", observedTimeUnixNano="7"))[0].time_ns == 5
    assert from_json(one(observedTimeUnixNano="7"))[0].time_ns == 7
    assert from_json(one())[0].time_ns == NOW_NS
    assert from_json(one(timeUnixNano=str(2**64 - 1)))[0].notes[0].endswith("the arrival stands for it.")


def test_a_severity_without_a_number_is_that_of_its_word() -> None:
    assert from_json(one(severityText="error"))[0].severity == 17
    assert from_json(one(severityNumber="SEVERITY_NUMBER_WARN2"))[0].severity == 14
    assert from_json(one(severityNumber=99))[0].notes == ["severity_number: 99 is not from 0 to 24."]


def test_an_id_that_is_not_valid_means_none() -> None:
    (found,) = from_json(one(traceId="0" * 32, spanId="xyz"))

    assert (found.trace_id, found.span_id) == ("", "")


def test_a_body_that_is_no_text_is_kept_as_json() -> None:
    body = {"kvlistValue": {"values": [{"key": "a", "value": {"intValue": "1"}}]}}

    assert from_json(one(body=body))[0].body == '{"a":1}'


def test_a_bad_record_costs_only_itself_and_is_said() -> None:
    logs = [{"body": {"stringValue": "good"}}, {"timeUnixNano": "noon"}, {"severityText": 7}]
    batch = otlp.read(
        json.dumps({"resourceLogs": [{"scopeLogs": [{"logRecords": logs}]}]}).encode(),
        sender=ANYBODY,
        content_type=otlp.JSON,
    )

    assert [each.body for each in batch.records] == ["good"]
    answer = json.loads(otlp.accept(batch, otlp.JSON).body)["partialSuccess"]
    assert answer["rejectedLogRecords"] == "2"
    assert "'noon' is not a whole number" in answer["errorMessage"]
    response = ExportLogsServiceResponse.FromString(otlp.accept(batch, otlp.PROTOBUF).body)
    assert response.partial_success.rejected_log_records == 2


@pytest.mark.parametrize("value", ["1e400", '"\\ud83d"'])
def test_one_value_out_of_range_costs_only_itself(value: str) -> None:
    pair = f'{{"key": "a", "value": {{"{"doubleValue" if value[0] == "1" else "stringValue"}": {value}}}}}'
    body = f'{{"resourceLogs": [{{"scopeLogs": [{{"logRecords": [{{"attributes": [{pair}]}}]}}]}}]}}'

    (found,) = otlp.read(body.encode(), sender=ANYBODY, content_type=otlp.JSON).records

    assert isinstance(found.attributes["a"], str)
    assert found.notes


def test_an_empty_request_succeeds() -> None:
    for kind, body in ((otlp.JSON, b"{}"), (otlp.PROTOBUF, b"")):
        batch = otlp.read(body, sender=ANYBODY, content_type=kind)
        answer = otlp.accept(batch, kind)
        assert (answer.status, answer.body) == (200, b"{}" if kind == otlp.JSON else b"")


def test_a_refusal_is_a_status_in_the_requests_own_encoding(db: None) -> None:
    writer = factories.caller("grading", "log:write")
    for kind, body in ((otlp.JSON, b"nonsense"), (otlp.PROTOBUF, b"\xff\xff")):
        response = writer.post("/v1/logs", body, content_type=kind)
        assert (response.status_code, response["Content-Type"]) == (400, kind)
        status = (
            Status.FromString(response.content) if kind == otlp.PROTOBUF else Status(**json.loads(response.content))
        )
        assert (status.code, "ExportLogsServiceRequest" in status.message) == (3, True)
    nobody = APIClient().post("/v1/logs", b"", content_type=otlp.PROTOBUF)
    assert nobody.status_code == 401
    assert Status.FromString(nobody.content).code == 16
    assert writer.post("/v1/logs", b"", content_type="text/plain").status_code == 415
    assert writer.get("/v1/logs").status_code == 405


@steady
@given(st.binary(max_size=200))
def test_any_bytes_are_a_request_or_a_problem(body: bytes) -> None:
    for kind in (otlp.PROTOBUF, otlp.JSON):
        with contextlib.suppress(Problem):
            otlp.read(body, sender=ANYBODY, content_type=kind)


@steady
@given(value=any_json, name=st.sampled_from([*EXAMPLE["resourceLogs"][0]["scopeLogs"][0]["logRecords"][0], "x"]))
def test_a_record_with_any_member_is_read_or_rejected(value: Any, name: str) -> None:
    batch = otlp.read(json.dumps(one(**{name: value})).encode(), sender=ANYBODY, content_type=otlp.JSON)

    assert len(batch.records) + batch.rejected_count == 1
