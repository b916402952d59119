"""Lines of JSON, read without a database."""

import json
import logging
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logsvc import severity
from logsvc.client.line import LineEncoder
from logsvc.ingest import ndjson
from logsvc.ingest.batch import Rejection
from logsvc.record import EXCEPTION_STACKTRACE, Record
from tests.logsvc.factories import NOW_NS
from tests.logsvc.ingest.senders import ANYBODY, TEAM
from tests.logsvc.strategies import any_json, steady


def read(body: bytes) -> list[Record]:
    batch = ndjson.read(body, sender=ANYBODY)
    assert batch.rejected == []
    return batch.records


def rejection(body: bytes) -> Rejection:
    (rejected,) = ndjson.read(body, sender=ANYBODY).rejected
    return rejected


def test_lines_end_as_on_any_system_and_the_last_need_not_end() -> None:
    body = b'\xef\xbb\xbf{"message": "one"}\r\n\r\n{"message": "two"}\n  \n{"message": "three"}'

    assert [each.body for each in read(body)] == ["one", "two", "three"]


def test_members_that_are_null_or_empty_count_as_not_given() -> None:
    (found,) = read(b'{"message": "", "time": null, "level": null, "service": "", "attributes": null, "uid": ""}')

    assert (found.time_ns, found.severity, found.service, found.attributes) == (NOW_NS, 9, "grading", {})


@pytest.mark.parametrize(
    ("line", "detail"),
    [
        (b"{}", "Object missing required field `message`"),
        (b"[]", "A line holds one JSON object: send the items of an array as lines of their own."),
        (b'"x"', "Expected `object`, got `str`"),
        (b"null", "Expected `object`, got `null`"),
        (b'{"message": 7}', "Expected `str | null`, got `int` - at `$.message`"),
        (b'{"message": "3"}{"message": "4"}', "JSON is malformed: trailing characters"),
        (b'{"message": "x", "level": "loud"}', "'loud' is not a level: use TRACE, DEBUG"),
        (b'{"message": "x", "severity_number": 25}', "severity_number 25 is not from 0 to 24"),
        (b'{"message": "x", "time": "noon"}', "'noon' is not a time: use RFC 3339"),
        (b'{"message": "x", "time": true}', "Expected `int | float | str | null`, got `bool` - at `$.time`"),
        (b'{"message": "x", "attributes": []}', "Expected `object | null`, got `array` - at `$.attributes`"),
        (b'{"message": "x", "attributes": {"a": NaN}}', "JSON is malformed"),
        (b'{"message": "x", "attributes": ' + b'{"a":' * 100_000, "It is nested too deep."),
    ],
)
def test_a_line_that_is_no_record_is_named_with_what_is_wrong(line: bytes, detail: str) -> None:
    rejected = rejection(b'{"message": "fine"}\n\n' + line)

    assert rejected.line == 3
    assert rejected.detail.startswith(detail)


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ("1e400", "1e400"),
        ("-1e400", "-1e400"),
        ("18446744073709551615", "18446744073709551615"),
        ("9" * 5000, "9" * 5000),
        ("1e-400", 0.0),
        ("0.1", 0.1),
        ("9223372036854775807", 2**63 - 1),
        ('"\\ud83d"', "\N{REPLACEMENT CHARACTER}"),
        ('"\\udc00\\ud83d"', "\N{REPLACEMENT CHARACTER}" * 2),
        ('"\\ud83d\\ude00"', "\N{GRINNING FACE}"),
        ('"\\u0000"', "\N{REPLACEMENT CHARACTER}"),
    ],
)
def test_one_value_that_cannot_be_kept_costs_only_itself_and_is_said(value: str, kept: Any) -> None:
    (found,) = read(f'{{"message": "m", "attributes": {{"a": {value}, "b": 1}}}}'.encode())

    assert found.attributes == {"a": kept, "b": 1}
    is_as_sent = isinstance(kept, float | int) or kept == "\N{GRINNING FACE}"
    assert bool(found.notes) != is_as_sent
    assert all(note.startswith("a:") for note in found.notes)


def test_half_a_character_or_a_wrong_byte_in_a_message_is_replaced_and_said() -> None:
    found = read(b'{"message": "\\ud83d"}\n{"message": "\xff"}\n{"message": "\xed\xa0\xbd"}\n{"message": "good"}')

    assert [each.body.strip("\N{REPLACEMENT CHARACTER}") for each in found] == ["", "", "", "good"]
    assert [bool(each.notes) for each in found] == [True, True, True, False]


@pytest.mark.parametrize("time", ["10" + "0" * 30, '"9999-12-31T23:59:59Z"', "1e308"])
def test_a_time_out_of_range_costs_only_the_time(time: str) -> None:
    (found,) = read(f'{{"message": "m", "time": {time}}}'.encode())

    assert found.time_ns == NOW_NS
    assert "the arrival stands for it" in found.notes[0]


@pytest.mark.parametrize("time", ["0", "-1", '"2199-01-01T00:00:00Z"'])
def test_a_time_that_cannot_be_true_is_kept_as_sent_and_marked(time: str) -> None:
    (found,) = read(f'{{"message": "m", "time": {time}}}'.encode())

    assert found.time_ns != NOW_NS
    assert found.notes == ["time: it cannot be true; the record is ordered by its arrival."]


def test_a_level_out_of_range_is_the_highest() -> None:
    (found,) = read(b'{"message": "m", "level": 99999999999999999999}')

    assert found.severity == 24


def test_an_exception_is_the_standard_attribute() -> None:
    (found,) = read(b'{"message": "m", "exception": "Traceback", "attributes": {"a": 1}}')

    assert found.attributes == {"a": 1, EXCEPTION_STACKTRACE: "Traceback"}


def test_opentelemetrys_members_are_taken_too() -> None:
    (found,) = read(
        b'{"body": "m", "severity_number": 18, "severity_text": "ERR2", "host": "h", "observed_time": 1795435201,'
        b' "trace_id": "4BF92F3577B34DA6A3CE929D0E0E4736", "span_id": "no"}'
    )

    assert (found.body, found.severity, found.severity_text, found.host) == ("m", 18, "ERR2", "h")
    assert found.observed_ns == NOW_NS + 1_000_000_000
    assert (found.trace_id, found.span_id) == ("4bf92f3577b34da6a3ce929d0e0e4736", "")
    assert found.notes == ["span_id: 'no' is not 16 hex digits and was left out."]


def test_a_token_logs_for_its_services_alone() -> None:
    body = b'{"message": "a", "service": "team-a"}\n{"message": "b", "service": "other"}\n{"message": "c"}'

    batch = ndjson.read(body, sender=TEAM)

    assert [(each.body, each.token) for each in batch.records] == [("a", "team")]
    assert [(each.line, each.detail[:40]) for each in batch.rejected] == [
        (2, "The token 'team' may not log for the ser"),
        (3, "It names no service, and the token stand"),
    ]


@steady
@given(
    message=st.text(st.characters(exclude_categories=[])),
    level=st.sampled_from([10, 20, 25, 30, 40, 50]),
    created=st.datetimes(datetime(1970, 1, 2), datetime(2200, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 -- bounds are naive
    extra=st.dictionaries(st.text(min_size=1, max_size=20), any_json | st.binary() | st.floats(), max_size=4),
)
def test_whatever_the_handler_sends_is_a_record(
    message: str, level: int, created: datetime, extra: dict[str, Any]
) -> None:
    given = logging.LogRecord("grading.api", level, __file__, 1, message, None, None)
    given.__dict__ = extra | given.__dict__ | {"created": created.timestamp()}

    (found,) = read(LineEncoder(service="grading", instance="grading-1", host="h-1").encode(given))

    assert abs(found.time_ns / 1e9 - created.timestamp()) < 0.001
    assert found.severity == severity.from_python(level)
    assert found.body == message.encode("utf-8", "replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}")
    assert (found.service, found.instance, found.logger) == ("grading", "grading-1", "grading.api")


@steady
@given(value=any_json)
def test_any_json_is_a_record_or_is_rejected(value: Any) -> None:
    batch = ndjson.read(json.dumps({"message": "m", "attributes": {"a": value}}).encode(), sender=ANYBODY)

    assert len(batch.records) == 1


@steady
@given(
    lines=st.lists(
        st.sampled_from(
            [
                b'{"message": "a"}',
                b'{"message": "b", "attributes": {"x": 1}}\r',
                b' {"message": "c"} ',
                b'{"message": "d"}{"message": "e"}',
                b'{"message": "f", "level": "loud"}',
                b'{"attributes":',
                b'{"message": "\xff"}',
                b"{}",
                b"[]",
                b"}",
                b"",
                b"  ",
            ]
        ),
        max_size=6,
    )
)
def test_a_body_is_read_as_each_of_its_lines_alone(lines: list[bytes]) -> None:
    whole = ndjson.read(b"\n".join(lines), sender=ANYBODY)

    alone = [ndjson.read(line, sender=ANYBODY) for line in lines]
    assert whole.records == [record for batch in alone for record in batch.records]
    assert [(each.line, each.detail) for each in whole.rejected] == [
        (number, each.detail) for number, batch in enumerate(alone, start=1) for each in batch.rejected
    ]
