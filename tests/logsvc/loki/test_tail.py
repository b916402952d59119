"""Grafana's live tail over a WebSocket."""

import asyncio
import json
import time
from collections.abc import MutableMapping
from functools import partial
from typing import Any
from urllib.parse import urlencode

import pytest

from config.hybrid import Hybrid
from config.tokens import issuing
from logsvc.api.loki_tail import Lane
from logsvc.server import Server
from tests.logsvc.factories import in_thread, keep, record

pytestmark = pytest.mark.django_db(transaction=True)


class Browser:
    """The client's end of one WebSocket."""

    def __init__(self, token: str, **parameters: str) -> None:
        self.scope: dict[str, Any] = {
            "type": "websocket",
            "path": "/loki/api/v1/tail",
            "query_string": urlencode(parameters).encode(),
            "headers": [(b"authorization", f"Bearer {token}".encode())],
        }
        self._to_server: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.received: asyncio.Queue[MutableMapping[str, Any]] = asyncio.Queue()
        self._to_server.put_nowait({"type": "websocket.connect"})

    def start(self, lane: Lane) -> "asyncio.Task[None]":
        hybrid = Hybrid(lambda *_: [], lanes=[], websocket_lanes=[lane], threads=1, body_limit_bytes=1)
        return asyncio.create_task(hybrid(self.scope, self._to_server.get, self.received.put))

    async def next(self) -> dict[str, Any]:
        return dict(await asyncio.wait_for(self.received.get(), 30))

    async def lines(self) -> list[str]:
        message = json.loads((await self.next())["text"])
        assert message["dropped_entries"] == []
        return [value[1] for stream in message["streams"] for value in stream["values"]]

    def leave(self) -> None:
        self._to_server.put_nowait({"type": "websocket.disconnect"})


async def _keep(*bodies: str, service: str = "grading") -> None:
    records = [record(body, service=service, time_ns=time.time_ns()) for body in bodies]
    await in_thread(partial(keep, *records, received_ns=time.time_ns()))


def test_a_tail_shows_what_was_and_what_comes(transactional_db: None) -> None:
    token = issuing.create(name="grafana", scopes=["log:read"])

    async def converse() -> None:
        await _keep("before", "noise")
        browser = Browser(
            token, query='{service_name="grading"} != "noise"', limit="10", start=str(time.time_ns() - 10**10)
        )
        task = browser.start(Lane(Server(in_thread)))
        assert (await browser.next())["type"] == "websocket.accept"
        assert await browser.lines() == ["before"]
        await _keep("other", service="shop")
        await _keep("after", "noise again")
        assert await browser.lines() == ["after"]
        browser.leave()
        await asyncio.wait_for(task, 30)

    asyncio.run(converse())


@pytest.mark.parametrize(
    ("scopes", "query", "word"),
    [(["log:read"], "{", "parse error"), (["log:write"], "{}", "log:read"), (None, "{}", "token")],
)
def test_a_tail_that_cannot_be_is_refused(
    transactional_db: None, scopes: list[str] | None, query: str, word: str
) -> None:
    token = "rct_unknown" if scopes is None else issuing.create(name="grafana", scopes=scopes)

    async def converse() -> None:
        browser = Browser(token, query=query)
        await browser.start(Lane(Server(in_thread)))
        refusal = await browser.next()
        assert refusal["type"] == "websocket.close"
        assert word in refusal["reason"]

    asyncio.run(converse())


def test_where_there_is_no_websocket_it_is_refused() -> None:
    async def converse() -> None:
        browser = Browser("x")
        browser.scope["path"] = "/elsewhere"
        await browser.start(Lane(Server(in_thread)))
        assert (await browser.next())["type"] == "websocket.close"

    asyncio.run(converse())
