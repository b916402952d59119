import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.problems import Problem
from logsvc.ingest import loki
from logsvc.ingest.batch import Batch
from tests.logsvc import factories
from tests.logsvc.factories import NOW_NS
from tests.logsvc.ingest.senders import ANYBODY
from tests.logsvc.strategies import any_json, steady


def push(*values: Any, **labels: str) -> bytes:
    return json.dumps({"streams": [{"stream": labels, "values": values}]}).encode()


def read(body: bytes) -> Batch:
    return loki.read(body, sender=ANYBODY)


def test_labels_and_metadata_say_what_they_name_and_are_kept() -> None:
    trace = "5b8efff798038103d269b633813fc60c"
    body = push(
        [str(NOW_NS), "no invoice\n", {"trace_id": trace, "user": "ada"}],
        job="varlogs",
        service_name="billing",
        instance="b-1",
        host="h1",
        level="warn",
    )

    (found,) = read(body).records

    assert (found.service, found.instance, found.host, found.severity) == ("billing", "b-1", "h1", 13)
    assert (found.time_ns, found.body, found.trace_id) == (NOW_NS, "no invoice", trace)
    assert found.attributes["job"] == "varlogs"
    assert found.attributes["user"] == "ada"


def test_a_stream_without_a_service_is_the_senders() -> None:
    (found,) = read(push([str(NOW_NS), "line"])).records

    assert (found.service, found.severity) == ("grading", 0)


@pytest.mark.parametrize("value", [[NOW_NS, "line"], ["noon", "line"], [str(NOW_NS)], ["1", "l", {}, 4], "x"])
def test_a_bad_value_costs_only_itself(value: Any) -> None:
    body = push([str(NOW_NS), "good"], value) if isinstance(value, list) else push([str(NOW_NS), "good"], [value])

    batch = read(body)

    assert [each.body for each in batch.records] == ["good"]
    assert [each.line for each in batch.rejected] == [2]
    answer = loki.accept(batch, "application/json")
    assert (answer.status, b"number 2" in answer.body) == (400, True)


def test_half_a_character_costs_no_line() -> None:
    body = push([str(NOW_NS), "good"], [str(NOW_NS), "SURROGATE"]).replace(b"SURROGATE", b"\\ud83d")

    records = read(body).records

    assert [each.body for each in records] == ["good", "\N{REPLACEMENT CHARACTER}"]
    assert [len(each.notes) for each in records] == [0, 1]


def test_a_push_is_answered_without_content(db: None) -> None:
    writer = factories.caller("grading", "log:write")

    response = writer.post("/loki/api/v1/push", push([str(NOW_NS), "line"]), content_type="application/json")

    assert (response.status_code, response.content) == (204, b"")
    assert factories.found() == ["line"]


@pytest.mark.parametrize("body", [b"nonsense", b"{}", b"[]", b'{"streams": 1}', b"[" * 100_000])
def test_what_is_no_push_is_a_problem(body: bytes) -> None:
    with pytest.raises(Problem, match="not a Loki push"):
        read(body)


@steady
@given(st.lists(any_json, max_size=4))
def test_any_values_are_lines_or_rejected(values: list[Any]) -> None:
    batch = read(push(*(value if isinstance(value, list) else [value] for value in values)))

    assert len(batch.records) + batch.rejected_count == len(values)
