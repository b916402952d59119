"""The log service answers any input, and says what to change where it refuses."""

import gzip
from collections.abc import Iterable
from typing import TYPE_CHECKING

import pytest
from django.db import connection
from django.test import Client

from config.tokens import issuing
from logsvc.storage.current import store
from tests import hostile
from tests.hostile import Request

if TYPE_CHECKING:
    # The type of the test client's answers is named in its stubs alone.
    from django.test.client import _MonkeyPatchedWSGIResponse as Answer

pytestmark = pytest.mark.django_db

LINE = (
    b'{"message": "m", "time": 1, "level": "INFO", "service": "s", "instance": "i", "logger": "l", "exception": "e", '
)
LINE += b'"attributes": {"a": 1}}'
OTLP = b'{"resourceLogs": [{"resource": {"attributes": []}, "scopeLogs": [{"logRecords": [{"severityNumber": 9}]}]}]}'
PUSH = b'{"streams": [{"stream": {"a": "b"}, "values": [["1795435200000000000", "line"]]}]}'
SEARCH = ("q", "from", "to", "cursor", "limit")
WAYS_IN = ("/v1/records", "/api/v1/logs", "/loki/api/v1/push", "/v1/logs", "/log")
PARAMETERS = ("service", "level", "q", "since", "until", "before", "limit")


@pytest.fixture(autouse=True)
def _token(db: None) -> None:
    issuing.create(name="anybody", scopes=["read", "write"], token="rct_anybody")


def failures(requests: Iterable[Request]) -> list[str]:
    """The faults of requests: failed, refused without saying what to change, or stored although refused."""
    client, found, kept = Client(raise_request_exception=False), [], sum(store().services().values())
    for request in requests:
        answer = request.send(client, {"Authorization": "Bearer rct_anybody"})
        before, kept = kept, sum(store().services().values())
        if answer.status_code >= 500 or (answer.status_code >= 400 and not _explains(answer, request)):
            found.append(f"{request}: {answer.status_code} {answer.content[:200]!r}")
        elif answer.status_code >= 400 and kept != before:
            found.append(f"{request}: {answer.status_code}, and yet {kept - before} records were kept")
    return found


def _explains(answer: "Answer", request: Request) -> bool:
    """OTLP has a form of its own; Loki's is a line of text where a part of a push was not taken."""
    if answer.headers.get("Content-Type") == "text/plain; charset=utf-8":
        return request.path.startswith("/loki/") and b"rejected" in answer.content
    if request.path.partition("?")[0] != "/v1/logs" or "problem" in answer.headers.get("Content-Type", ""):
        return hostile.explains(answer, request)
    return request.method == "HEAD" or len(answer.content) > 10


@pytest.mark.parametrize(
    ("path", "parameters", "method", "sound", "content_type"),
    [
        ("/v1/records", PARAMETERS, "POST", LINE, "application/x-ndjson"),
        ("/api/v1/logs", SEARCH, "POST", LINE, "application/x-ndjson"),
        ("/loki/api/v1/push", (), "POST", PUSH, "application/json"),
        ("/api/v1/logs/7", (), "GET", b"", "application/json"),
        ("/api/v1/logs/7/context", ("before", "after"), "GET", b"", "application/json"),
        ("/api/v1/logs/histogram", ("q", "from", "to", "step", "buckets"), "GET", b"", "application/json"),
        ("/api/v1/logs/facets", ("q", "from", "to", "field", "limit"), "GET", b"", "application/json"),
        ("/api/v1/logs/arrivals", ("q", "cursor", "limit"), "GET", b"", "application/json"),
        ("/v1/logs", (), "POST", OTLP, "application/json"),
        ("/log", PARAMETERS, "POST", b"a line", "text/plain"),
        ("/v1/services", (), "GET", b"", "application/json"),
        ("/rollcall/notify", (), "POST", b"{}", "application/json"),
        ("/healthz", (), "GET", b"", "application/json"),
        ("/nowhere", (), "GET", b"", "application/json"),
    ],
)
def test_no_request_fails(path: str, parameters: tuple[str, ...], method: str, sound: bytes, content_type: str) -> None:
    # Requests that an address leaves to its service are tried at the addresses of records alone.
    make = hostile.requests if path in WAYS_IN else hostile.own_requests
    requests = make(path, parameters=parameters, method=method, sound=sound, content_type=content_type)

    assert failures(requests) == []


def test_no_record_fails_and_what_is_kept_can_be_read() -> None:
    lines = [*hostile.altered(LINE), *hostile.altered(b'{"message": "m", "uid": "u"}'), *hostile.BODIES]
    path, kind = "/v1/records", "application/x-ndjson"

    assert failures(Request(path=path, method="POST", body=line, content_type=kind) for line in lines) == []

    # Elsewhere only what may be stored otherwise is sent.
    assert sum(store().services().values()) > (100 if connection.vendor == "sqlite" else 50)
    assert failures([Request(path=f"{path}?limit=1000"), Request(path="/v1/services")]) == []


def test_a_body_that_unpacks_to_more_than_the_limit_is_refused() -> None:
    bomb = gzip.compress(b"\n" * (64 * 1024 * 1024))
    for path, kind in (("/v1/records", "application/x-ndjson"), ("/log", "text/plain")):
        request = Request(path=path, method="POST", body=bomb, content_type=kind, headers={"Content-Encoding": "gzip"})
        answer = request.send(Client(), {"Authorization": "Bearer rct_anybody"})
        assert answer.status_code == 413
        assert answer.json()["type"] == "urn:rollcall:problem:body-too-large"
