"""Lines of JSON, read without a database."""

import logging
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logsvc.client import line as lines
from logsvc.entries import Entry
from logsvc.ingest import ndjson
from logsvc.ingest.outcome import Rejection
from tests.logsvc.factories import NOW
from tests.logsvc.strategies import any_json, steady


def read(body: bytes) -> list[Entry]:
    outcome = ndjson.read(body, sender="grading", now=NOW)
    assert outcome.rejected == []
    return outcome.entries


def rejection(body: bytes) -> Rejection:
    (rejected,) = ndjson.read(body, sender="grading", now=NOW).rejected
    return rejected


def test_lines_end_as_on_any_system_and_the_last_need_not_end() -> None:
    body = b'\xef\xbb\xbf{"message": "one"}\r\n\r\n{"message": "two"}\n  \n{"message": "three"}'

    assert [entry.message for entry in read(body)] == ["one", "two", "three"]


def test_members_that_are_null_or_empty_count_as_not_given() -> None:
    (entry,) = read(b'{"message": "", "time": null, "level": null, "service": "", "attributes": null, "uid": ""}')

    assert (entry.time, entry.level, entry.service, entry.attributes) == (NOW, 20, "grading", {})


@pytest.mark.parametrize(
    ("line", "detail"),
    [
        (b"{}", "Object missing required field `message`"),
        (b"[]", "Expected `object`, got `array`"),
        (b'{"message": "x", "level": "loud"}', "'loud' is not a level: use DEBUG"),
        (b'{"message": "x", "time": "noon"}', "'noon' is not a time: use RFC 3339"),
        (b'{"message": "x", "attributes": []}', "Expected `object | null`, got `array` - at `$.attributes`"),
        (b'{"message": "\xff"}', "'utf-8' codec can't decode byte 0xff"),
        (b'{"message": "x", "attributes": ' + b'{"a":' * 5000, "maximum recursion depth exceeded"),
    ],
)
def test_a_line_that_is_no_record_is_named_with_what_is_wrong(line: bytes, detail: str) -> None:
    rejected = rejection(b'{"message": "fine"}\n' + line)

    assert rejected.line == 2
    assert rejected.detail.startswith(detail)


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
    record = logging.LogRecord("grading.api", level, __file__, 1, message, None, None)
    record.__dict__ = extra | record.__dict__ | {"created": created.timestamp()}

    (entry,) = read(lines.encode(record, service="grading", instance="grading-1"))

    assert abs((entry.time - created).total_seconds()) < 0.001
    assert entry.level == level
    assert entry.message == message.encode("utf-8", "replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}")
    assert (entry.service, entry.instance, entry.logger) == ("grading", "grading-1", "grading.api")
