"""A record on the wire."""

import json
import logging
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logsvc.client.line import LINE_BYTES, LineEncoder


class Unshowable:
    def __repr__(self) -> str:
        raise RuntimeError("not even this")


def record(message: Any = "a grade was added", *args: Any, **members: Any) -> logging.LogRecord:
    made = logging.LogRecord("grading.api", logging.INFO, __file__, 1, message, args, None)
    made.__dict__.update(members)
    return made


def decoded(made: logging.LogRecord) -> dict[str, Any]:
    line = LineEncoder(service="grading", instance="grading-1", host="h-1").encode(made)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert len(line) <= LINE_BYTES

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is not JSON")

    members: dict[str, Any] = json.loads(line, parse_constant=refuse)
    return members


def test_a_record_says_when_where_and_what() -> None:
    members = decoded(record("%s has %d grades", "Ada", 3, created=1795435200.25))

    uid = members.pop("uid")
    assert len(uid) == 32
    assert members == {
        "time": "2026-11-23T12:00:00.250000Z",
        "level": "INFO",
        "logger": "grading.api",
        "message": "Ada has 3 grades",
        "service": "grading",
        "instance": "grading-1",
        "host": "h-1",
    }


def test_every_record_has_a_uid_of_its_own() -> None:
    assert decoded(record())["uid"] != decoded(record())["uid"]


def test_an_exception_travels_as_opentelemetrys_standard_attributes() -> None:
    try:
        raise ZeroDivisionError("no grades to average")
    except ZeroDivisionError as error:
        made = record(exc_info=(type(error), error, error.__traceback__), stack_info="Stack (most recent call last):")

    attributes = decoded(made)["attributes"]
    assert attributes["exception.type"] == "ZeroDivisionError"
    assert attributes["exception.message"] == "no grades to average"
    assert attributes["exception.stacktrace"].startswith("Traceback (most recent call last):")
    assert "ZeroDivisionError: no grades to average\nStack" in attributes["exception.stacktrace"]


def test_what_was_given_as_extra_travels_as_attributes() -> None:
    assert decoded(record(student=7, path={"a": [1, None]}))["attributes"] == {"student": 7, "path": {"a": [1, None]}}
    assert "attributes" not in decoded(record())


def test_extras_that_json_has_nothing_for_are_shown() -> None:
    circular: list[Any] = []
    circular.append(circular)

    assert decoded(record(error=ValueError("x")))["attributes"] == {"error": "ValueError('x')"}
    assert decoded(record(share=float("nan"), n=1))["attributes"] == {"share": "nan", "n": "1"}
    assert decoded(record(loop=circular))["attributes"] == {"loop": "[[...]]"}
    assert decoded(record(keys={(1, 2): 3}))["attributes"] == {"keys": "{(1, 2): 3}"}
    assert decoded(record(what=Unshowable()))["attributes"] == {"what": "<Unshowable without a repr>"}


def test_arguments_that_do_not_fit_the_message_are_told_all_the_same() -> None:
    message = decoded(record("%d grades", "three"))["message"]

    assert message == "'%d grades' ('three',) (the arguments do not fit the message)"


@pytest.mark.parametrize("made", [record(Unshowable()), record("%s", Unshowable()), record({"event": Unshowable()})])
def test_what_cannot_be_shown_costs_no_record(made: logging.LogRecord) -> None:
    message = decoded(made)["message"]

    assert "without a repr" in message


def test_a_level_of_ones_own_travels_as_its_number() -> None:
    assert decoded(record(levelno=25, levelname="NOTICE"))["level"] == 25


def test_a_long_text_loses_its_middle() -> None:
    message = decoded(record("a" * 50_000 + "the end"))["message"]

    assert len(message) < 32_768
    assert message.startswith("aaa")
    assert "… (50007 characters)" in message
    assert message.endswith("the end")


@pytest.mark.parametrize("character", ["\x00", "\N{GRINNING FACE}", '"'])
def test_a_line_has_a_bound_whatever_it_is_made_of(character: str) -> None:
    long = character * 200_000

    assert decoded(record(long, exc_text=long, extra=long, more={long: long}))["attributes"]["shortened"]


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=[])), st.dictionaries(st.text(min_size=1), st.binary() | st.floats()))
def test_any_record_becomes_one_line_of_json(message: str, extra: dict[str, Any]) -> None:
    made = record(message)
    made.__dict__ = extra | made.__dict__

    assert decoded(made)["message"] == message.encode("utf-8", "replace").decode()
