import asyncio
import gc
import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from threading import Thread, current_thread, main_thread
from typing import Any
from unittest.mock import patch

import pytest
from django.conf import settings
from django.db import OperationalError, connection
from rest_framework.test import APIClient

from config.hybrid import Hybrid, respond
from config.problems import RawResponse, Unavailable
from config.tokens import gate, issuing
from config.tokens.issuing import Holder
from registry.api import bodies
from registry.api.native_writes import Lane
from registry.discovery.reader import Reader
from registry.errors import Contended
from registry.instances import registration
from registry.instances.registration import Registered
from registry.journal import log
from registry.models import Heartbeat, Instance, JournalEntry
from registry.server import Server, server
from registry.wire import answers
from tests import factories
from tests.config.asgi import Client, http_scope, hybrid
from tests.registry.conftest import ClientOf

pytestmark = pytest.mark.django_db(transaction=True)

BILLING = "/v1/services/billing/instances/billing-1"
BATCH = "/v1/registrations:batch"
WHOLE = {"url": "http://127.0.0.1:9000", "requires": ["logsvc"], "tags": ["b", "a"], "heartbeat": {"kind": "ttl"}}


@pytest.fixture(autouse=True)
def _stopped(lasting_holders: None) -> Iterator[None]:
    yield
    server.group_commit.stop()


@pytest.fixture
def token() -> str:
    return issuing.create(name="deployer", scopes=["register:billing"])


def send(
    method: str,
    path: str,
    body: Any,
    token: str = "",
    *,
    is_known: bool = True,
    headers: dict[str, str] | None = None,
) -> Client:
    """Through the lane, with nothing behind it that would answer instead.

    As when all of the request comes at once, and without a task where the token `is_known` from a request before it.
    """
    if token:
        headers = {"content-type": "application/json", "authorization": f"Bearer {token}"}
    raw = [(name.encode(), value.encode()) for name, value in (headers or {}).items()]
    content = body if isinstance(body, bytes) else json.dumps(body).encode()

    async def exchange() -> Client:
        async def run(function: Any) -> Any:
            return await asyncio.to_thread(_with_connection_closed, function)

        reader = Reader(run)
        application = hybrid(_django, [Lane(Server(lambda: reader, run))], limit=settings.BODY_LIMIT_BYTES)
        client = Client({"type": "http.request", "body": content, "more_body": False})
        if token and is_known:
            await reader.holder(f"Bearer {token}")
            await application(http_scope("/healthz"), Client().receive, Client().send)
        scope = http_scope(path, method=method, headers=raw)
        answer = application.answer_soon(scope, content)
        if answer is None:
            await application(scope, client.receive, client.send)
        else:
            client.answered_soon = True
            await respond(client.send, await _settled(application, scope, answer))
        return client

    return asyncio.run(exchange())


async def _settled(application: Hybrid, scope: Any, answer: "RawResponse | asyncio.Future[RawResponse]") -> RawResponse:
    try:
        return answer if isinstance(answer, RawResponse) else await answer
    except Exception as error:
        return application.refusal(scope, error)


def _with_connection_closed(function: Any) -> Any:
    try:
        return function()
    finally:
        connection.close()


def _django(environ: dict[str, Any], start_response: Any) -> Any:
    start_response("299 Left to Django", [])
    return [b""]


def without_times(body: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body["instance"].items() if name not in ("status_since", "registered_at")}


def test_it_registers_and_answers_as_django_does(token: str, client_of: ClientOf) -> None:
    django: APIClient = client_of("register:other", name="other")
    expected = django.put("/v1/services/other/instances/billing-1", WHOLE, format="json").json()

    answer = send("PUT", BILLING, WHOLE, token)

    body = json.loads(answer.body)
    assert answer.status == 201
    assert body.keys() == expected.keys()
    assert body["providers"] == {"logsvc": []}
    assert without_times(body) == without_times(expected) | {
        "service": "billing",
        "registered_by": "deployer",
        "revision": 2,
    }
    assert dict(answer.headers)[b"rollcall-revision"] == b"2"
    assert Heartbeat.objects.count() == 2


def test_an_answer_of_many_providers_keeps_nobody_else_waiting(
    token: str, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[Thread] = []

    def registration_body(registered: Registered) -> answers.Registration:
        threads.append(current_thread())
        return whole(registered)

    whole = bodies.registration
    monkeypatch.setattr(bodies, "registration", registration_body)
    monkeypatch.setattr("registry.api.native_writes.MOST_PROVIDERS_IN_LOOP", 1)
    factories.passing("logsvc", now=now)
    send("PUT", BILLING, WHOLE, token)
    factories.passing("logsvc", "logsvc-2", now=now)

    answer = send("PUT", BILLING, WHOLE, token)

    offered = json.loads(answer.body)["providers"]["logsvc"]
    assert [each["instance"] for each in offered] == ["logsvc-1", "logsvc-2"]
    assert [thread is main_thread() for thread in threads] == [True, False]


def test_again_is_an_update_that_changes_nothing(token: str) -> None:
    send("PUT", BILLING, WHOLE, token)

    assert send("PUT", BILLING, WHOLE, token).status == 200
    assert JournalEntry.objects.count() == 1


def test_a_beat_and_a_farewell_are_answered_with_the_revision_that_they_came_to(token: str) -> None:
    send("PUT", BILLING, WHOLE, token)

    beat = send("PUT", f"{BILLING}/heartbeat", b"", token)
    failed = send("PUT", f"{BILLING}/heartbeat", {"status": "critical", "reason": "disk full"}, token)
    gone = send("DELETE", BILLING, b"", token)

    assert [each.status for each in (beat, failed, gone)] == [204, 204, 204]
    assert [dict(each.headers)[b"rollcall-revision"] for each in (beat, failed, gone)] == [b"2", b"3", b"4"]
    assert list(JournalEntry.objects.order_by("revision").values_list("change", flat=True)) == [
        "registered",
        "passing",
        "critical",
        "deregistered",
    ]


def test_a_request_that_comes_in_parts_or_by_a_token_not_known_yet_is_answered_alike(token: str) -> None:
    operator = issuing.create(name="operator", scopes=["operate"])

    def answers(*, is_known: bool) -> list[Client]:
        return [
            send("PUT", BILLING, WHOLE, token, is_known=is_known),
            send("PUT", BILLING, b"{", token, is_known=is_known),
            send("PUT", f"{BILLING}/heartbeat", b"", token, is_known=is_known),
            send("PUT", MAINTENANCE, {"reason": "disk"}, operator, is_known=is_known),
            send("PUT", MAINTENANCE, {"reason": "disk"}, token, is_known=is_known),
            send("DELETE", MAINTENANCE, b"", operator, is_known=is_known),
            send("POST", f"{BILLING}/drain", {"seconds": 60}, token, is_known=is_known),
            send("DELETE", BILLING, b"", token, is_known=is_known),
            send("DELETE", f"{BILLING}x/instances", b"", token, is_known=is_known),
        ]

    in_tasks, without = answers(is_known=False), answers(is_known=True)

    assert [each.answered_soon for each in (*in_tasks, *without)] == [*[False] * 9, *[True] * 8, False]
    assert [each.status for each in without] == [each.status for each in in_tasks]
    assert [dict(each.headers).keys() for each in without] == [dict(each.headers).keys() for each in in_tasks]
    assert without[1].body == in_tasks[1].body


def test_an_answer_that_fails_when_its_time_is_over_already_leaves_no_traceback(
    caplog: pytest.LogCaptureFixture,
) -> None:
    operator = f"Bearer {issuing.create(name='operator', scopes=['operate'])}"

    async def exchange() -> None:
        is_asked, is_away = asyncio.Event(), asyncio.Event()

        async def run(function: Any) -> Any:
            if function is log.head:
                is_asked.set()
                await is_away.wait()
                raise Unavailable("The database is away.")
            return await asyncio.to_thread(_with_connection_closed, function)

        reader = Reader(run)
        await reader.holder(operator)
        headers = [(b"authorization", operator.encode())]
        lane = Lane(Server(lambda: reader, run))
        answer = lane.answer_soon(http_scope(MAINTENANCE, method="PUT", headers=headers), b"")
        assert answer is not None
        await is_asked.wait()
        # As Hybrid does when the time is over.
        answer.set_exception(TimeoutError())
        is_away.set()
        with pytest.raises(TimeoutError):
            await answer

    asyncio.run(exchange())
    gc.collect()
    assert not caplog.records


def test_a_request_counts_once_whichever_way_it_goes(token: str) -> None:
    limits = gate.current().limits
    with patch.object(limits, "seconds_until", wraps=limits.seconds_until) as counted:
        for is_known in (True, False):
            send("PUT", BILLING, {"url": "no url"}, token, is_known=is_known)
    assert counted.call_count == 2


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("PUT", f"{BILLING}/heartbeat", b"", 404),
        ("PUT", f"{BILLING}/heartbeat", {"status": "well"}, 422),
        ("PUT", "/v1/services/other/instances/other-1/heartbeat", b"", 403),
        ("DELETE", "/v1/services/other/instances/other-1", b"", 403),
        ("DELETE", "/v1/services/billing/instances/.hidden", b"", 422),
        ("DELETE", BILLING, b"", 204),
    ],
)
def test_beats_and_farewells_are_refused_as_django_refuses_them(
    token: str, method: str, path: str, body: Any, status: int
) -> None:
    django = APIClient(headers={"authorization": f"Bearer {token}"})
    expected = getattr(django, method.lower())(path, **({"data": body, "format": "json"} if body else {}))

    answer = send(method, path, body, token)

    assert answer.status == expected.status_code == status
    assert (json.loads(answer.body) if answer.body else None) == (expected.json() if expected.content else None)


MAINTENANCE = f"{BILLING}/maintenance"
OF_THE_SERVICE = "/v1/services/billing/maintenance"


def test_maintenance_and_draining_are_stored_and_answered_with_their_revision(token: str) -> None:
    operator = issuing.create(name="operator", scopes=["operate"])
    send("PUT", BILLING, WHOLE, token)

    begun = send("PUT", MAINTENANCE, {"reason": "disk"}, operator)
    ended = send("DELETE", MAINTENANCE, b"", operator)
    whole = send("PUT", OF_THE_SERVICE, b"", operator)
    over = send("DELETE", OF_THE_SERVICE, b"", operator)
    drained = send("POST", f"{BILLING}/drain", {"seconds": 60}, token)

    assert [each.status for each in (begun, ended, whole, over, drained)] == [204, 204, 204, 204, 200]
    revisions = [dict(each.headers)[b"rollcall-revision"] for each in (begun, ended, whole, over, drained)]
    assert revisions == [b"2", b"3", b"4", b"5", b"6"]
    assert json.loads(drained.body)["revision"] == 6
    entries = list(JournalEntry.objects.order_by("revision").values_list("change", "author", "reason"))[1:]
    assert entries == [
        ("maintenance", "operator", "disk"),
        ("maintenance-ended", "operator", ""),
        ("maintenance", "operator", ""),
        ("maintenance-ended", "operator", ""),
        ("draining", "deployer", ""),
    ]


@pytest.mark.parametrize(
    ("scope", "method", "path", "body", "status"),
    [
        ("register:billing", "PUT", MAINTENANCE, {}, 403),
        ("register:billing", "DELETE", OF_THE_SERVICE, b"", 403),
        ("operate", "PUT", MAINTENANCE, {"until": "yesterday"}, 422),
        ("operate", "PUT", MAINTENANCE, {"until": "2020-01-01T00:00:00Z"}, 422),
        ("operate", "PUT", "/v1/services/.hidden/maintenance", {}, 422),
        ("operate", "DELETE", "/v1/services/billing/instances/.hidden/maintenance", b"", 422),
        ("operate", "DELETE", MAINTENANCE, b"", 204),
        ("operate", "PUT", "/v1/services/none/maintenance", {"reason": "early"}, 204),
        ("operate", "POST", f"{BILLING}/drain", {}, 404),
        ("register:billing", "POST", f"{BILLING}/drain", {"seconds": -1}, 422),
        ("register:other", "POST", f"{BILLING}/drain", {}, 403),
    ],
)
def test_maintenance_and_draining_are_answered_as_django_answers_them(
    scope: str, method: str, path: str, body: Any, status: int
) -> None:
    token = issuing.create(name="somebody", scopes=[scope])
    django = APIClient(headers={"authorization": f"Bearer {token}"})
    expected = getattr(django, method.lower())(path, **({"data": body, "format": "json"} if body != b"" else {}))

    answer = send(method, path, body, token)

    assert answer.status == expected.status_code == status
    assert timeless(answer.body) == timeless(expected.content)


def timeless(content: bytes) -> Any:
    """A body of JSON without the second at which it was given; None for an empty one."""
    return json.loads(re.sub(rb"it is \S+Z", b"it is now", content)) if content else None


@pytest.mark.parametrize(
    ("path", "body", "status", "type_"),
    [
        (BILLING, b"{", 400, "bad-request"),
        (BILLING, b"", 422, "invalid"),
        (BILLING, [], 422, "invalid"),
        (BILLING, {"url": "no url"}, 422, "invalid"),
        (BILLING, {"url": "http://169.254.169.254"}, 422, "invalid"),
        (BILLING, b"[" * 100_000, 400, "bad-request"),
        (BILLING, b'"' + b"a" * (9 * 1024 * 1024) + b'"', 413, "body-too-large"),
        ("/v1/services/other/instances/other-1", WHOLE, 403, "forbidden"),
    ],
)
def test_what_is_wrong_is_refused_and_nothing_is_stored(
    token: str, path: str, body: Any, status: int, type_: str
) -> None:
    answer = send("PUT", path, body, token)

    assert answer.status == status
    assert json.loads(answer.body)["type"] == f"urn:rollcall:problem:{type_}"
    assert not Instance.objects.exists()


@pytest.mark.parametrize("given", ["", "rct_unknown"])
def test_nobody_registers_without_a_token_that_is_known(given: str) -> None:
    headers = {"content-type": "application/json", **({"authorization": f"Bearer {given}"} if given else {})}

    assert send("PUT", BILLING, WHOLE, headers=headers).status == 401
    assert not Instance.objects.exists()


def test_a_fleet_registers_with_one_call(token: str) -> None:
    fleet = [{**WHOLE, "service": "billing", "instance": f"billing-{number}"} for number in range(3)]

    answer = send("POST", BATCH, {"instances": [*fleet, {"service": "other"}], "mode": "each"}, token)

    body = json.loads(answer.body)
    assert [each["status"] for each in body["results"]] == [201, 201, 201, 422]
    assert body["revision"] == 3
    assert Instance.objects.count() == 3


@pytest.mark.parametrize(
    ("method", "path", "headers"),
    [
        ("PUT", BILLING, {"content-type": "text/plain"}),
        ("PUT", BILLING, {}),
        ("PUT", f"{BILLING}/heartbeat", {"content-type": "text/plain", "content-length": "9"}),
        ("PUT", f"{BILLING}/drain", {"content-type": "application/json"}),
        ("POST", f"{BILLING}/drain", {"content-type": "text/plain", "content-length": "9"}),
        ("DELETE", f"{BILLING}/maintenance", {"content-length": "9"}),
        ("PUT", "/v1/services/billing/maintenance", {"content-type": "application/json", "rollcall-act-for": "ann"}),
        ("POST", f"{BILLING}/maintenance", {"content-type": "application/json"}),
        ("DELETE", BILLING, {"content-length": "9"}),
        ("DELETE", BILLING, {"rollcall-act-for": "ann"}),
        ("DELETE", f"{BILLING}/heartbeat", {}),
        ("POST", BATCH, {"content-type": "application/json", "rollcall-act-for": "ann"}),
        ("POST", "/v1/resync", {"content-type": "application/json"}),
    ],
)
def test_everything_else_is_left_to_django(method: str, path: str, headers: dict[str, str]) -> None:
    assert send(method, path, WHOLE, headers=headers).status == 299


def test_an_answer_names_its_revision_when_nothing_of_a_fleet_was_stored(token: str) -> None:
    send("PUT", BILLING, WHOLE, token)

    answer = send("POST", BATCH, {"instances": [{"service": "other"}], "mode": "each"}, token)

    assert dict(answer.headers)[b"rollcall-revision"] == b"1"


def test_while_the_database_is_away_it_says_so(token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registration, "store_all", _away)

    for method, path, body in (
        ("PUT", BILLING, WHOLE),
        ("POST", BATCH, {"instances": [{**WHOLE, "service": "billing", "instance": "b-1"}]}),
    ):
        answer = send(method, path, body, token)
        assert answer.status == 503
        assert json.loads(answer.body)["type"] == "urn:rollcall:problem:unavailable"


def test_what_collides_again_and_again_is_to_be_sent_again(token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registration, "store_all", _contended)

    for method, path, body in (
        ("PUT", BILLING, WHOLE),
        ("POST", BATCH, {"instances": [{**WHOLE, "service": "billing", "instance": "b-1"}]}),
    ):
        answer = send(method, path, body, token)
        assert answer.status == 503
        assert dict(answer.headers)[b"retry-after"] == b"1"
        assert json.loads(answer.body)["type"] == "urn:rollcall:problem:contended"


def test_batches_take_no_thread_from_the_reads() -> None:
    with ThreadPoolExecutor(1) as others:

        async def run(function: Any) -> Any:
            raise AssertionError("a batch was run where reads are")

        async def exchange() -> None:
            reader = Reader(run)
            reader.holders = KnowsAll()  # type: ignore[assignment]  # answers as Holders does
            lane = Lane(Server(lambda: reader, _in(others)))
            client = Client({"type": "http.request", "body": b"{}", "more_body": False})
            headers = [(b"content-type", b"application/json"), (b"authorization", b"Bearer rct")]
            await hybrid(_django, [lane], limit=1000)(
                http_scope(BATCH, method="POST", headers=headers), client.receive, client.send
            )
            assert client.status == 422

        asyncio.run(exchange())


class KnowsAll:
    async def of(self, header: str, *, now: float) -> Holder:
        return Holder(name="tester", scopes=frozenset({"register:*"}))


def _in(threads: ThreadPoolExecutor) -> Any:
    async def run(function: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(threads, function)

    return run


def _contended(*_: Any, **__: Any) -> None:
    raise Contended


def _away(*_: Any, **__: Any) -> None:
    raise OperationalError("the connection is closed")
