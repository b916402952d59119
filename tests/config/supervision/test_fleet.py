import http.client
import io
import json
from typing import Any

import pytest

from config.supervision import fleet


class Answer(io.BytesIO):
    """The registry's answer as http.client returns it."""


@pytest.fixture
def answer(monkeypatch: pytest.MonkeyPatch) -> list[bytes | Exception]:
    """The registry's next answers; an empty list while it is away."""
    answers: list[bytes | Exception] = []

    def getresponse(connection: Any) -> Answer:
        if isinstance(answers[0], Exception):
            raise answers[0]
        return Answer(answers[0])

    monkeypatch.setattr(http.client.HTTPConnection, "request", lambda *_, **__: None)
    monkeypatch.setattr(http.client.HTTPConnection, "getresponse", getresponse)
    return answers


def statuses() -> dict[str, str]:
    return fleet.statuses(["registry", "logsvc", "grading"], host="127.0.0.1", port=1, token="t")


def listing(*entries: dict[str, Any]) -> bytes:
    return json.dumps({"revision": 7, "services": list(entries)}).encode()


def test_a_service_has_the_best_status_of_its_instances(answer: list[bytes | Exception]) -> None:
    answer.append(
        listing(
            {"service": "logsvc", "passing": 1, "critical": 2, "starting": 0},
            {"service": "grading", "passing": 0, "critical": 1, "starting": 1},
        )
    )
    assert statuses() == {"registry": "passing", "logsvc": "passing", "grading": "starting"}


def test_a_service_that_the_registry_does_not_know_is_not_registered(answer: list[bytes | Exception]) -> None:
    answer.append(listing({"service": "logsvc", "passing": 0, "critical": 1, "starting": 0}))
    assert statuses() == {"registry": "passing", "logsvc": "critical", "grading": "not registered"}


def test_what_an_operator_holds_back_is_not_waited_for(answer: list[bytes | Exception]) -> None:
    held = {"passing": 0, "critical": 0, "starting": 0, "maintenance": 1}
    answer.append(listing({"service": "logsvc", **held}, {"service": "grading", "warning": 1, "maintenance": 1}))

    assert statuses() == {"registry": "passing", "logsvc": "maintenance", "grading": "warning"}
    assert set(statuses().values()) <= fleet.SETTLED


@pytest.mark.parametrize("reply", [b"<html>", b"[]", b"{}", b'{"services": [{}]}', b"\xff", ConnectionRefusedError()])
def test_a_registry_that_answers_nothing_of_use_is_not_answering(
    answer: list[bytes | Exception], reply: bytes | Exception
) -> None:
    answer.append(reply)
    assert statuses() == {"registry": "not answering", "logsvc": "unknown", "grading": "unknown"}
