"""GET /api/v1/logs/tail: server-sent events that a client can resume from without gap or double."""

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest

from config.tokens import issuing
from config.tokens.holder import Holder
from logsvc.api import tail as tails
from logsvc.api.tail import PATH, Lane
from logsvc.server import Server
from logsvc.storage.current import store
from tests.config.asgi import Client, ask, http_scope, hybrid
from tests.logsvc import factories
from tests.logsvc.factories import keep_each

pytestmark = pytest.mark.django_db(transaction=True)
Event = tuple[str, str, Any]


@pytest.fixture
def token() -> str:
    return issuing.create(name="reader", scopes=["log:read"])


def tail(
    token: str,
    query: str = "",
    *,
    until: Callable[[list[Event]], bool],
    act: Callable[[], None] = lambda: None,
    **headers: str,
) -> list[Event]:
    """The events up to when `until` holds; `act` is called once the first has come."""
    given = {"authorization": f"Bearer {token}", **headers}
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in given.items()]

    async def follow() -> list[Event]:
        client = Client()
        application = hybrid(lambda environ, start: [], [Lane(Server(factories.in_thread))])
        scope = http_scope(PATH, query_string=query.encode(), headers=raw)
        running = asyncio.create_task(application(scope, client.receive, client.send))
        async with asyncio.timeout(20):
            await client.arrived.wait()
            await factories.in_thread(act)
            while not until(events(client)) and not running.done():
                client.arrived.clear()
                await asyncio.wait({running, asyncio.create_task(client.arrived.wait())}, return_when="FIRST_COMPLETED")
        client.gone.set()
        await running
        return events(client)

    return asyncio.run(follow())


def events(client: Client) -> list[Event]:
    found = []
    for block in client.body.decode().split("\n\n"):
        lines = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line[1:])
        if "event" in lines:
            found.append((lines["event"], lines["id"], json.loads(lines["data"])))
    return found


def messages(found: list[Event]) -> list[str]:
    return [data["message"] for name, _, data in found if name == "record"]


def test_what_arrives_is_told_and_can_be_resumed_without_gap_or_double(token: str) -> None:
    found = tail(token, act=lambda: keep_each("abc"), until=lambda found: len(messages(found)) == 3)
    last = found[-2][1]

    again = tail(token, f"cursor={last}", until=lambda found: len(messages(found)) == 1)
    by_header = tail(token, "cursor=0", last_event_id=last, until=lambda found: len(messages(found)) == 1)

    assert found[0][0] == "cursor"
    assert messages(found) == ["a", "b", "c"]
    assert messages(again) == messages(by_header) == ["c"]


class Counting(Server):
    """Counts how many tails read the store at one time."""

    def __init__(self) -> None:
        super().__init__(factories.in_thread)
        self.most_at_once = self._at_once = 0
        # The first read waits for another, so that those that may overlap do.
        self._overlap = asyncio.Event()

    async def ask(self, question: Callable[[], Any], *, holder: Holder | None = None) -> Any:
        if not isinstance(question, partial):
            return await super().ask(question, holder=holder)
        self._at_once += 1
        self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            if self._at_once > 1:
                self._overlap.set()
            await asyncio.wait_for(self._overlap.wait(), 20)
            await asyncio.sleep(0)
            return await super().ask(question, holder=holder)
        finally:
            self._at_once -= 1


def test_the_tails_of_one_token_read_in_turns(token: str) -> None:
    keep_each("abc")
    other = issuing.create(name="other", scopes=["log:read"])

    async def follow(server: Server, client: Client, token: str) -> None:
        raw = [(b"authorization", f"Bearer {token}".encode())]
        scope = http_scope(PATH, query_string=b"cursor=0", headers=raw)
        running = asyncio.create_task(
            hybrid(lambda environ, start: [], [Lane(server)])(scope, client.receive, client.send)
        )
        while len(messages(events(client))) < 3:
            client.arrived.clear()
            await asyncio.wait_for(client.arrived.wait(), 20)
        client.gone.set()
        await running

    async def scenario() -> int:
        server = Counting()
        await asyncio.gather(*(follow(server, Client(), each) for each in (token, token, token, token, other)))
        return server.most_at_once

    assert asyncio.run(scenario()) == 2


def test_a_tail_is_filtered_and_restricted_as_a_search_is() -> None:
    keep_each(["yes", "no"], service="team-a")
    keep_each(["yes"], service="other")
    token = issuing.create(name="team", scopes=["read:team-*"])

    def goes_on(found: list[Event]) -> bool:
        return "last" in messages(found)

    found = tail(token, "q=yes OR last&cursor=0", act=lambda: keep_each(["last"], service="team-a"), until=goes_on)

    assert messages(found) == ["yes", "last"]


def test_a_gap_that_retention_made_is_said(token: str) -> None:
    keep_each("abc")
    store().delete(factories.stored("b"))

    found = tail(token, "cursor=1", until=lambda found: bool(messages(found)))

    assert [name for name, _, _ in found] == ["cursor", "gap", "record"]
    assert found[1][2]["after"] == 1


def test_a_token_that_is_revoked_ends_its_tail(token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # It is asked about again at each sign of life, and is remembered for a second.
    monkeypatch.setattr(tails, "HEARTBEAT_SECONDS", 0.5)

    def revoke() -> None:
        issuing.revoke(name="reader", now=datetime.now(UTC))
        keep_each("a")

    found = tail(token, act=revoke, until=lambda found: found[-1][0] == "revoked")

    assert found[-1][0] == "revoked"


def test_a_wrong_question_is_refused_before_anything_is_streamed(token: str) -> None:
    async def ask(query: bytes, header: str) -> Client:
        client = Client()
        application = hybrid(lambda environ, start: [], [Lane(Server(factories.in_thread))])
        scope = http_scope(PATH, query_string=query, headers=[(b"authorization", header.encode())])
        await application(scope, client.receive, client.send)
        return client

    statuses = [
        asyncio.run(ask(query, header)).status
        for query, header in ((b"q=(", f"Bearer {token}"), (b"cursor=x", f"Bearer {token}"), (b"", "Bearer rct_no"))
    ]

    assert statuses == [422, 422, 401]


@pytest.mark.parametrize(("method", "status"), [("HEAD", 200), ("POST", 405)])
def test_a_head_of_a_tail_does_not_stay_open_and_no_other_method_is_taken(token: str, method: str, status: int) -> None:
    scope = http_scope(PATH, method=method, headers=[(b"authorization", f"Bearer {token}".encode())])

    client = ask(hybrid(lambda environ, start: [], [Lane(Server(factories.in_thread))]), scope)

    assert client.status == status
    assert b"data:" not in client.body
