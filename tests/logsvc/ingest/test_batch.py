"""Limits on what one request costs, however short its body is."""

import json
from typing import Any

import pytest

from config.problems import Problem
from logsvc.ingest import loki, ndjson, otlp
from tests.logsvc.ingest.senders import ANYBODY

LONG = "x" * 8000


def otlp_body(records: int) -> bytes:
    resource = {"attributes": [{"key": f"k{number}", "value": {"stringValue": LONG}} for number in range(10)]}
    scope: dict[str, Any] = {"logRecords": [{}] * records}
    return json.dumps({"resourceLogs": [{"resource": resource, "scopeLogs": [scope]}]}).encode()


def loki_body(records: int) -> bytes:
    stream = {"stream": {f"k{number}": LONG for number in range(10)}, "values": [["1", ""]] * records}
    return json.dumps({"streams": [stream]}).encode()


def test_attributes_that_stand_once_for_many_records_are_limited_in_all_of_them() -> None:
    assert otlp.read(otlp_body(100), sender=ANYBODY, content_type=otlp.JSON).accepted == 100
    assert loki.read(loki_body(100), sender=ANYBODY).accepted == 100

    with pytest.raises(Problem, match="send fewer records"):
        otlp.read(otlp_body(1000), sender=ANYBODY, content_type=otlp.JSON)
    with pytest.raises(Problem, match="send fewer records"):
        loki.read(loki_body(1000), sender=ANYBODY)


@pytest.mark.parametrize("line", [b"x", b'{"message": "x"}', b"{}"])
def test_lines_beyond_the_limit_are_not_read_be_they_good_or_bad(line: bytes) -> None:
    with pytest.raises(Problem, match="at most 50000 records"):
        ndjson.read(b"\n".join([line] * 50_001), sender=ANYBODY)


def test_streams_without_lines_are_limited_and_of_attributes_the_first_are_read() -> None:
    with pytest.raises(Problem, match="at most 50000 records"):
        loki.read(b'{"streams": [' + b"{}," * 50_000 + b"{}]}", sender=ANYBODY)
    pairs = [{"key": "a"}] * 10_000 + [{"key": "b"}]
    body = json.dumps({"resourceLogs": [{"scopeLogs": [{"logRecords": [{"attributes": pairs}]}]}]}).encode()
    assert set(otlp.read(body, sender=ANYBODY, content_type=otlp.JSON).records[0].attributes) == {"a"}


def test_blank_lines_are_no_records() -> None:
    assert ndjson.read(b"\n" * 60_000 + b'{"message": "x"}', sender=ANYBODY).accepted == 1
