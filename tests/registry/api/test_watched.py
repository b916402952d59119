"""Answers for anybody, made once a second for all who ask."""

import asyncio
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse

from config.problems import RawResponse
from registry.api import watched
from tests.config.asgi import Client, http_scope, hybrid
from tests.config.test_hybrid import failing


class View:
    def __init__(self) -> None:
        self.calls = 0
        self.error: Exception | None = None

    def __call__(self, request: HttpRequest) -> HttpResponse:
        self.calls += 1
        if self.error is not None:
            raise self.error
        return HttpResponse(f"{self.calls}", content_type="text/plain", headers={"Cache-Control": "no-store"})


async def run(function: Callable[[], RawResponse]) -> RawResponse:
    await asyncio.sleep(0)
    return function()


async def ask(application: Any, method: str = "GET") -> Client:
    client = Client()
    await application(http_scope("/metrics", method=method), client.receive, client.send)
    return client


def test_many_who_ask_at_once_have_one_answer() -> None:
    view = View()

    async def exchange() -> list[Client]:
        application = hybrid(failing(AssertionError()), [watched.Lane({"/metrics": view}, run)])
        return list(await asyncio.gather(*(ask(application, method) for method in ("GET", "HEAD", "GET"))))

    clients = asyncio.run(exchange())

    assert [client.status for client in clients] == [200] * 3
    assert clients[2].body == b"1"
    assert dict(clients[0].headers)[b"cache-control"] == b"no-store"
    assert view.calls == 1


def test_an_answer_is_kept_for_a_moment_and_then_made_anew(monkeypatch: Any) -> None:
    view = View()
    # The moment lasts as long as the machine is busy.
    monkeypatch.setattr(watched, "FRESH_SECONDS", 3600.0)

    async def exchange() -> None:
        lane = watched.Lane({"/metrics": view}, run)
        application = hybrid(failing(AssertionError()), [lane])
        scope = http_scope("/metrics")
        assert lane.at_once(scope, has_waited=False) is None
        assert [(await ask(application)).body for _ in range(3)] == [b"1"] * 3
        kept = lane.at_once(scope, has_waited=False)
        assert kept is not None
        assert kept.body == b"1"
        monkeypatch.setattr(watched, "FRESH_SECONDS", -1.0)
        assert lane.at_once(scope, has_waited=False) is None
        assert (await ask(application)).body == b"2"

    asyncio.run(exchange())


def test_a_failure_is_not_kept() -> None:
    view = View()
    view.error = ValueError("a fault")

    async def exchange() -> list[int]:
        application = hybrid(failing(AssertionError()), [watched.Lane({"/metrics": view}, run)])
        first = await ask(application)
        view.error = None
        return [first.status, (await ask(application)).status]

    assert asyncio.run(exchange()) == [500, 200]
