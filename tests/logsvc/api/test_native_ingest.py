"""The native lane: records through the writer's thread into the database, and what happens when that cannot be."""

import asyncio
import gzip
import json
import threading
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from django.db import OperationalError
from pytest_django import Settings

from config.tokens import gate, issuing
from config.tokens.limits import Limits
from logsvc.api.native_ingest import Lane
from logsvc.ingest import writer as writing
from logsvc.ingest.writer import Overloaded, Writer
from logsvc.server import Server
from logsvc.storage.current import store
from logsvc.storage.errors import Full
from logsvc.storage.prepared import Prepared
from tests.clock import Clock
from tests.config.asgi import Client, http_scope, hybrid
from tests.logsvc import factories
from tests.logsvc.factories import ndjson

pytestmark = pytest.mark.django_db(transaction=True)
ONE = ndjson({"message": "one"})


@pytest.fixture
def writer() -> Iterator[Writer]:
    made = Writer()
    yield made
    made.stop()


@pytest.fixture
def token() -> str:
    return issuing.create(name="grading", scopes=["log:write"])


def send(writer: Writer, path: str, body: bytes, token: str, **headers: str) -> Client:
    """Through the lane, with nothing behind it that would answer instead."""
    given = {"authorization": f"Bearer {token}", "content_type": "application/x-ndjson", **headers}
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in given.items()]

    async def exchange() -> Client:
        client = Client({"type": "http.request", "body": body, "more_body": False})
        application = hybrid(_django, [Lane(Server(factories.in_thread, writer))], limit=1000)
        await application(http_scope(path, method="POST", headers=raw), client.receive, client.send)
        return client

    return asyncio.run(exchange())


def prepared(count: int) -> Prepared:
    return store().prepare([factories.record()] * count)


def _django(environ: dict[str, Any], start_response: Any) -> Any:
    start_response("299 Left to Django", [])
    return [b""]


@pytest.mark.parametrize(
    ("path", "kind", "body", "status"),
    [
        ("/api/v1/logs", "application/x-ndjson", ONE, 200),
        ("/v1/records", "application/x-ndjson", ONE, 200),
        ("/log", "text/plain", b"one", 200),
        ("/v1/logs", "application/json", b'{"resourceLogs": [{"scopeLogs": [{"logRecords": [{}]}]}]}', 200),
        ("/loki/api/v1/push", "application/json", b'{"streams": [{"values": [["1", "one"]]}]}', 204),
    ],
)
def test_every_format_is_stored_when_it_is_answered(
    writer: Writer, token: str, path: str, kind: str, body: bytes, status: int
) -> None:
    client = send(writer, path, gzip.compress(body), token, content_type=kind, content_encoding="gzip")

    assert client.status == status
    assert len(factories.arrivals()) == 1


def test_another_address_or_method_is_left_to_django(writer: Writer, token: str) -> None:
    assert send(writer, "/api/v1/logs/7", ONE, token).status == 299


def test_a_token_is_looked_at_before_the_body(writer: Writer, token: str) -> None:
    reader = issuing.create(name="reader", scopes=["log:read"])

    refused = [send(writer, "/api/v1/logs", ONE, each) for each in ("rct_unknown", reader)]

    assert [(client.status, client.unread) for client in refused] == [(401, 1), (403, 1)]


def test_what_cannot_be_stored_for_now_is_answered_503_and_stored_later(
    writer: Writer, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for error, code in (
        (Full(), "store-full"),
        (OperationalError("database is locked"), "unavailable"),
    ):
        with monkeypatch.context() as patch:

            def fail(*_: object, error: Exception = error, **__: object) -> int:
                raise error

            patch.setattr(store(), "append_prepared", fail)
            client = send(writer, "/api/v1/logs", ONE, token)
        assert (client.status, b"retry-after" in dict(client.headers)) == (503, True)
        assert json.loads(client.body)["type"] == f"urn:rollcall:problem:{code}"
    assert send(writer, "/api/v1/logs", ONE, token).status == 200
    assert factories.arrivals() == ["one"]


def test_a_full_queue_is_refused_rather_than_grown(monkeypatch: pytest.MonkeyPatch, writer: Writer) -> None:
    may_go_on, is_storing = threading.Event(), threading.Event()

    def wait(batches: Sequence[Prepared], *, received_ns: int) -> int:
        is_storing.set()
        may_go_on.wait(10)
        return len(batches)

    monkeypatch.setattr(store(), "append_prepared", wait)
    monkeypatch.setattr(writing, "RECORDS_WAITING", 5)
    first = writer.submit(prepared(1), 100)
    is_storing.wait(10)
    second = writer.submit(prepared(4), 100)

    with pytest.raises(Overloaded) as caught:
        writer.submit(prepared(1), 100)

    assert caught.value.headers["Retry-After"]
    may_go_on.set()
    assert (first.result(10), second.result(10)) == (None, None)
    writer.submit(prepared(5), 100).result(10)


def test_a_batch_that_the_database_refuses_costs_no_other(monkeypatch: pytest.MonkeyPatch, writer: Writer) -> None:
    append = store().append_prepared
    good, bad, too = (store().prepare([factories.record(body)]) for body in ("good", "bad", "good too"))

    def choose(batches: Sequence[Prepared], *, received_ns: int) -> int:
        if bad in batches:
            raise ValueError("not this one")
        return append(batches, received_ns=received_ns)

    monkeypatch.setattr(store(), "append_prepared", choose)
    with writer.held():
        jobs = [writer.submit(each, 10) for each in (good, bad, too)]

    assert jobs[0].result(10) is None
    assert isinstance(jobs[1].exception(10), ValueError)
    assert jobs[2].result(10) is None
    assert factories.arrivals() == ["good", "good too"]


def test_a_token_may_send_so_many_records_a_second(
    writer: Writer, token: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gate.current(), "limits", Limits(Clock()))
    settings.TOKEN_LIMITS = {**settings.TOKEN_LIMITS, "records_per_second": 2}
    body = ndjson(*({"message": str(number)} for number in range(3)))

    assert send(writer, "/api/v1/logs", body, token).status == 200
    refused = [
        send(writer, "/api/v1/logs", body, token),
        send(
            writer,
            "/v1/logs",
            b'{"resourceLogs": [{"scopeLogs": [{"logRecords": [{}, {}, {}, {}]}]}]}',
            token,
            content_type="application/json",
        ),
    ]

    assert [(client.status, b"retry-after" in dict(client.headers)) for client in refused] == [(429, True)] * 2
    assert json.loads(refused[1].body)["code"] == 8


def test_lines_that_are_no_records_count_as_well_and_beyond_the_limit_no_body_is_read(
    writer: Writer, settings: Settings
) -> None:
    settings.TOKEN_LIMITS = {**settings.TOKEN_LIMITS, "records_per_second": 2}
    token = issuing.create(name="junk", scopes=["write"])

    first, second = (send(writer, "/api/v1/logs", b"x\n" * 9, token) for _ in range(2))

    assert (first.status, json.loads(first.body)["accepted"]) == (200, 0)
    assert (second.status, second.unread) == (429, 1)


def test_a_body_that_is_refused_counts_by_its_size(writer: Writer, settings: Settings) -> None:
    settings.TOKEN_LIMITS = {**settings.TOKEN_LIMITS, "records_per_second": 5}
    token = issuing.create(name="refused", scopes=["write"])

    first, second = (
        send(writer, "/loki/api/v1/push", b"x" * 10_000, token, content_type="application/json") for _ in range(2)
    )

    assert (first.status, second.status, second.unread) == (400, 429, 1)
