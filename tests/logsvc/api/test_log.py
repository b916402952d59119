"""POST /log."""

import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rest_framework.test import APIClient

from logsvc.storage.current import store
from tests.logsvc import factories
from tests.logsvc.factories import post_text
from tests.logsvc.strategies import steady


def test_every_line_is_a_record_of_the_tokens_service(writer: APIClient) -> None:
    answer = post_text(writer, b"first line\r\n\n  indented\n").json()

    assert answer == {"accepted": 2, "rejected": []}
    assert factories.arrivals() == ["first line", "  indented"]
    assert {(each.service, each.severity) for each in factories.stored()} == {("grading", 9)}


def test_service_and_level_are_taken_from_the_address(writer: APIClient) -> None:
    post_text(writer, b"disk full", "?service=backup&level=error")

    assert [(each.service, each.severity) for each in factories.stored()] == [("backup", 17)]


def test_bytes_that_are_no_text_are_replaced(writer: APIClient) -> None:
    post_text(writer, b"caf\xe9 \x00 \xf0\x9f\x98\x80")

    assert factories.arrivals() == ["caf\N{REPLACEMENT CHARACTER} \N{REPLACEMENT CHARACTER} \N{GRINNING FACE}"]


def test_gzip_that_does_not_say_so_is_not_kept_as_a_line_of_rubbish(writer: APIClient) -> None:
    response = post_text(writer, gzip.compress(b"line"))

    assert (response.status_code, "Content-Encoding: gzip" in response.json()["detail"]) == (400, True)


@pytest.mark.parametrize(
    ("query", "pointer"),
    [("?level=loud", "/level"), ("?service=%00", "/service"), ("?service=" + "x" * 501, "/service")],
)
def test_a_wrong_parameter_is_named(writer: APIClient, query: str, pointer: str) -> None:
    response = post_text(writer, b"line", query)

    assert response.status_code == 422
    assert [each["pointer"] for each in response.json()["errors"]] == [pointer]
    assert factories.arrivals() == []


def test_another_type_is_refused_and_the_right_one_named(writer: APIClient) -> None:
    response = writer.post("/log", {"message": "x"}, format="json")

    assert response.status_code == 415
    assert "text/plain" in response.json()["detail"]


@steady
@given(pieces=st.lists(st.binary(max_size=80), max_size=6))
def test_arbitrary_bytes_become_records_and_lose_no_line(writer: APIClient, pieces: list[bytes]) -> None:
    store().delete(factories.stored())
    # Not the bytes first with which gzip begins: that is refused, as a test above has it.
    lines = [b"first", *(line for piece in pieces for line in (piece, b"good"))]

    response = post_text(writer, b"\n".join(lines))

    assert response.status_code == 200
    assert factories.arrivals().count("good") >= len(pieces)
    assert response.json()["accepted"] == len(factories.arrivals())
