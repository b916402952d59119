"""POST /log."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rest_framework.test import APIClient

from logsvc.models import Record
from tests.logsvc import factories
from tests.logsvc.factories import post_text
from tests.logsvc.strategies import steady


def test_every_line_is_a_record_of_the_tokens_service(writer: APIClient) -> None:
    answer = post_text(writer, b"first line\r\n\n  indented\n").json()

    assert answer == {"accepted": 2, "rejected": []}
    assert factories.messages() == ["first line", "  indented"]
    assert set(Record.objects.values_list("service", "level")) == {("grading", 20)}


def test_service_and_level_are_taken_from_the_address(writer: APIClient) -> None:
    post_text(writer, b"disk full", "?service=backup&level=error")

    assert Record.objects.values_list("service", "level").get() == ("backup", 40)


def test_bytes_that_are_no_text_are_replaced(writer: APIClient) -> None:
    post_text(writer, b"caf\xe9 \x00 \xf0\x9f\x98\x80")

    assert factories.messages() == ["caf\N{REPLACEMENT CHARACTER} \N{REPLACEMENT CHARACTER} \N{GRINNING FACE}"]


@pytest.mark.parametrize(("query", "pointer"), [("?level=loud", "/level"), ("?service=" + "x" * 501, "/service")])
def test_a_wrong_parameter_is_named(writer: APIClient, query: str, pointer: str) -> None:
    response = post_text(writer, b"line", query)

    assert response.status_code == 422
    assert [each["pointer"] for each in response.json()["errors"]] == [pointer]
    assert factories.messages() == []


def test_another_type_is_refused_and_the_right_one_named(writer: APIClient) -> None:
    response = writer.post("/log", {"message": "x"}, format="json")

    assert response.status_code == 415
    assert "text/plain" in response.json()["detail"]


@steady
@given(pieces=st.lists(st.binary(max_size=80), max_size=6))
def test_arbitrary_bytes_become_records_and_lose_no_line(writer: APIClient, pieces: list[bytes]) -> None:
    Record.objects.all().delete()
    lines = [line for piece in pieces for line in (piece, b"good")]

    response = post_text(writer, b"\n".join(lines))

    assert response.status_code == 200
    assert factories.messages().count("good") >= len(pieces)
    assert response.json()["accepted"] == len(factories.messages())
