import asyncio
import json
from collections.abc import Callable
from contextlib import ExitStack
from datetime import datetime
from functools import partial
from typing import Any

import pytest
from pytest_django import Settings

from config.tokens import gate, issuing
from registry.discovery.journal_window import Look
from registry.journal import log
from registry.models import JournalEntry
from registry.webhooks import replay
from tests import factories
from tests.config.asgi import Client
from tests.registry.discovery.desk import Desk
from tests.waiting import PATIENCE_SECONDS

EVENTS = "/v1/events"
# Of each of many streams of one token: longer than the test waits.
PAUSE_SECONDS = 2 * PATIENCE_SECONDS


def fields(client: Client, name: str) -> list[str]:
    lines = client.body.decode().splitlines()
    return [line.removeprefix(f"{name}: ") for line in lines if line.startswith(f"{name}: ")]


def told(client: Client) -> list[tuple[str, int]]:
    """Each event's name and revision."""
    data = [json.loads(each)["revision"] for each in fields(client, "data")]
    return list(zip(fields(client, "event"), data, strict=True))


async def until(client: Client, count: int) -> None:
    while len(fields(client, "data")) < count:
        client.arrived.clear()
        await asyncio.wait_for(client.arrived.wait(), PATIENCE_SECONDS)


@pytest.fixture
def register(now: datetime) -> Callable[..., Callable[[], Any]]:
    return lambda service, instance=None: partial(factories.register, service, instance, now=now)


async def leave(client: Client, stream: "asyncio.Task[None]") -> None:
    client.gone.set()
    await asyncio.wait_for(stream, PATIENCE_SECONDS)


def test_every_change_is_told_once_with_its_revision_as_its_id(desk: Desk, register: Callable[..., Any]) -> None:
    async def scenario(desk: Desk) -> None:
        client = Client()
        stream = desk.begin(EVENTS, client)
        await until(client, 1)
        for service in ("billing", "other"):
            await desk.do(register(service))
            await desk.look()
        await until(client, 3)
        assert (b"content-type", b"text/event-stream") in client.headers
        assert fields(client, "id") == ["0", "1", "2"]
        assert told(client) == [("revision", 0), ("change", 1), ("change", 2)]
        assert json.loads(fields(client, "data")[1])["service"] == "billing"
        await leave(client, stream)

    desk.run(scenario)


def test_only_the_services_that_were_asked_for_are_told_of(desk: Desk, register: Callable[..., Any]) -> None:
    async def scenario(desk: Desk) -> None:
        client = Client()
        stream = desk.begin(f"{EVENTS}?service=a&service=b", client)
        await until(client, 1)
        for service in ("a", "c", "b"):
            await desk.do(register(service))
            await desk.look()
        await until(client, 3)
        assert told(client)[1:] == [("change", 1), ("change", 3)]
        await leave(client, stream)

    desk.run(scenario)


@pytest.mark.parametrize("is_in_memory", [True, False])
def test_who_comes_back_is_told_what_it_missed(
    desk: Desk, register: Callable[..., Any], is_in_memory: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("registry.discovery.sse.EVENTS_PER_READ", 2)

    async def scenario(desk: Desk) -> None:
        for number in range(6):
            await desk.do(register("a" if number % 2 else "b", f"i-{number}"))
            if is_in_memory:
                await desk.look()
        desk.reader.revisions.head = desk.reader.revisions.head if is_in_memory else -1
        await desk.look()
        by_parameter, by_header = Client(), Client()
        streams = [
            desk.begin(f"{EVENTS}?after=1", by_parameter),
            asyncio.create_task(desk.ask(by_header, f"{EVENTS}?after=1&service=a", last_event_id="2")),
        ]
        await until(by_parameter, 6)
        await until(by_header, 3)
        assert [revision for _, revision in told(by_parameter)] == [1, 2, 3, 4, 5, 6]
        assert [revision for _, revision in told(by_header)] == [2, 4, 6]
        await leave(by_parameter, streams[0])
        await leave(by_header, streams[1])

    desk.run(scenario)


class Pages:
    """Counts the pages of the journal that are read, and how many at one time."""

    def __init__(self, desk: Desk) -> None:
        self.read = self.most_at_once = self._at_once = 0
        self.on_read: Callable[[], None] = lambda: None
        self._run, desk.reader.run = desk.reader.run, self._counted

    async def _counted(self, function: Callable[[], Any]) -> Any:
        if getattr(function, "func", None) is not log.page:
            return await self._run(function)
        self.read += 1
        self._at_once += 1
        self.most_at_once = max(self.most_at_once, self._at_once)
        self.on_read()
        try:
            return await self._run(function)
        finally:
            self._at_once -= 1


async def register_out_of_memory(desk: Desk, register: Callable[..., Any], count: int) -> None:
    for number in range(count):
        await desk.do(register("a", f"i-{number}"))
    desk.reader.revisions.head = -1
    await desk.look()


def test_the_streams_of_one_token_read_the_journal_one_after_the_other(
    desk: Desk, register: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("registry.discovery.sse.EVENTS_PER_READ", 2)
    other = issuing.create(name="other", scopes=["read"])

    async def scenario(desk: Desk) -> None:
        await register_out_of_memory(desk, register, 4)
        pages = Pages(desk)
        clients = [Client() for _ in range(6)]
        tokens = [None] * 5 + [other]
        streams = [
            desk.begin(f"{EVENTS}?after=0", client, token=token) for client, token in zip(clients, tokens, strict=True)
        ]
        for client in clients:
            await until(client, 5)
        assert pages.most_at_once == 2
        for client, stream in zip(clients, streams, strict=True):
            await leave(client, stream)

    desk.run(scenario)


def test_of_a_client_that_is_gone_no_more_is_read(
    desk: Desk, register: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("registry.discovery.sse.EVENTS_PER_READ", 2)

    async def scenario(desk: Desk) -> None:
        await register_out_of_memory(desk, register, 6)
        pages = Pages(desk)
        client = Client()
        pages.on_read = client.gone.set
        await asyncio.wait_for(desk.begin(f"{EVENTS}?after=0", client), PATIENCE_SECONDS)
        assert pages.read == 1

    desk.run(scenario)


@pytest.mark.parametrize(("streams", "limit", "chunks"), [(150, 1000, 2), (150, 0, 3), (10, 1000, 3)])
def test_one_of_very_many_streams_of_a_token_is_told_together_what_comes_soon_after(
    desk: Desk,
    register: Callable[..., Any],
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    streams: int,
    limit: int,
    chunks: int,
) -> None:
    settings.TOKEN_LIMITS = {"streams": limit}
    is_together = chunks == 2
    monkeypatch.setattr("registry.discovery.sse.SENDS_PER_SECOND", streams / PAUSE_SECONDS)

    async def scenario(desk: Desk) -> None:
        client, others = Client(), ExitStack()
        holder = await desk.reader.holder(f"Bearer {desk.token}")
        for _ in range(streams):
            others.enter_context(gate.current().limits.hold(holder, "streams"))
        stream = desk.begin(EVENTS, client)
        await until(client, 1)
        before = len(client.received)
        for number in range(3):
            await desk.do(register("a", f"i-{number}"))
            await desk.look()
            await until(client, 2 if is_together else number + 2)
            await desk.settle()
        if is_together:
            assert told(client) == [("revision", 0), ("change", 1)]
            desk.pass_time(PAUSE_SECONDS)
        await until(client, 4)
        assert [revision for _, revision in told(client)] == [0, 1, 2, 3]
        assert len(client.received) - before == chunks
        await leave(client, stream)
        others.close()

    desk.run(scenario)


def test_a_stream_outlives_its_history_and_says_so(desk: Desk, register: Callable[..., Any]) -> None:
    async def scenario(desk: Desk) -> None:
        await desk.do(register("a"))
        await desk.look()
        client = Client()
        stream = desk.begin(EVENTS, client)
        await until(client, 1)
        await desk.do(replay.begin_history)
        await desk.do(register("b"))
        await desk.look()
        await until(client, 2)
        await desk.do(register("c"))
        await desk.look()
        await until(client, 3)
        assert told(client) == [("revision", 1), ("resync", 2), ("change", 3)]
        await leave(client, stream)

    desk.run(scenario)


@pytest.mark.parametrize("after", [1, 99])
def test_who_asks_for_more_than_is_kept_is_told_to_resync_and_goes_on_from_there(
    desk: Desk, register: Callable[..., Any], after: int
) -> None:
    async def scenario(desk: Desk) -> None:
        for number in range(4):
            await desk.do(register("a", f"i-{number}"))
        await desk.do(JournalEntry.objects.filter(revision__lte=2).delete)
        desk.reader.revisions.head = -1
        await desk.look()
        client = Client()
        stream = desk.begin(f"{EVENTS}?after={after}", client)
        await until(client, 1)
        await desk.do(register("a", "i-5"))
        await desk.look()
        await until(client, 2)
        assert told(client) == [("resync", 4), ("change", 5)]
        await leave(client, stream)

    desk.run(scenario)


def test_one_that_follows_too_slowly_is_told_so_and_ended(
    desk: Desk, register: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(desk: Desk) -> None:
        client = Client()
        stream = desk.begin(EVENTS, client)
        await until(client, 1)
        await desk.do(register("a"))
        revisions = desk.reader.revisions
        # More than a poll reads.
        found = Look(head=1, history=revisions.history, touched={"a": 1})
        revisions.advance(found, looked_at=asyncio.get_running_loop().time())
        await asyncio.wait_for(stream, PATIENCE_SECONDS)
        assert told(client) == [("revision", 0), ("slow", 0)]
        assert client.has_everything

    desk.run(scenario)


def test_one_that_takes_nothing_is_cut_off(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("registry.discovery.sse.SEND_SECONDS", 0.01)

    class Stuck(Client):
        async def send(self, message: Any) -> None:
            await super().send(message)
            if message["type"] == "http.response.body":
                await self.gone.wait()

    async def scenario(desk: Desk) -> None:
        client = Stuck()
        await asyncio.wait_for(desk.begin(EVENTS, client), PATIENCE_SECONDS)
        assert not client.has_everything

    desk.run(scenario)


def test_a_quiet_stream_beats_and_moves_the_place_to_resume_from(
    desk: Desk, register: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("registry.discovery.sse.HEARTBEAT_SECONDS", 0.01)

    async def scenario(desk: Desk) -> None:
        await desk.do(register("other"))
        client = Client()
        stream = desk.begin(f"{EVENTS}?service=billing", client)
        await until(client, 1)
        await desk.look()
        while fields(client, "id")[-1] != "1":
            client.arrived.clear()
            await client.arrived.wait()
        assert b": heartbeat\nid: 1\n\n" in client.body
        assert told(client) == [("revision", 0)]
        await leave(client, stream)

    desk.run(scenario)


def test_a_revoked_token_ends_its_streams(desk: Desk, now: datetime) -> None:
    async def scenario(desk: Desk) -> None:
        client = Client()
        stream = desk.begin(EVENTS, client)
        await until(client, 1)
        await desk.do(lambda: issuing.revoke(name="reader", now=now))
        await desk.look()
        await asyncio.wait_for(stream, PATIENCE_SECONDS)
        assert told(client)[-1] == ("revoked", 0)

    desk.run(scenario)


def test_a_token_that_may_read_one_service_follows_it(desk: Desk, register: Callable[..., Any]) -> None:
    narrow = issuing.create(name="narrow", scopes=["read:billing"])

    async def scenario(desk: Desk) -> None:
        assert (await desk.get(EVENTS, token=narrow)).status == 403
        client = Client()
        stream = desk.begin(f"{EVENTS}?service=billing", client, token=narrow)
        await until(client, 1)
        await desk.do(register("billing"))
        await desk.look()
        await until(client, 2)
        assert told(client) == [("revision", 0), ("change", 1)]
        await leave(client, stream)

    desk.run(scenario)


def test_events_want_a_token_that_may_read_and_a_readable_place(desk: Desk) -> None:
    other = issuing.create(name="other", scopes=["operate"])

    async def scenario(desk: Desk) -> None:
        assert (await desk.get(EVENTS, token="nonsense")).status == 401
        assert (await desk.get(EVENTS, token=other)).status == 403
        assert (await desk.get(EVENTS, last_event_id="x")).status == 422
        assert (await desk.get(f"{EVENTS}?after=x")).status == 422

    desk.run(scenario)


def test_a_head_of_a_stream_does_not_stay_open_and_no_other_method_is_taken(desk: Desk) -> None:
    async def scenario(desk: Desk) -> None:
        head = await desk.get(EVENTS, method="HEAD")
        assert (head.status, head.body, dict(head.headers)[b"content-type"]) == (200, b"", b"text/event-stream")
        assert (await desk.get(EVENTS, method="HEAD", token="nonsense")).status == 401
        refused = await desk.get(EVENTS, method="POST")
        assert (refused.status, dict(refused.headers)[b"allow"]) == (405, b"GET, HEAD")

    desk.run(scenario)
