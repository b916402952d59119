import asyncio
from typing import Any

import pytest

from config import stalls
from config.hybrid import Receive, Scope, Send, read_body, respond
from config.problems import RawResponse
from config.stalls import RECENT_SECONDS, STALL_SECONDS, TICK_SECONDS, Stalls
from tests.config.asgi import Client, ask, http_scope, hybrid


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_loop_that_stood_still_is_noticed_before_it_ticks_and_for_a_while() -> None:
    clock = Clock()

    async def stand_still() -> None:
        watched = Stalls(clock)
        watched.watch()
        assert not watched.is_recent()
        clock.now += TICK_SECONDS + STALL_SECONDS
        assert not watched.is_recent()
        clock.now += 1
        assert watched.is_recent()
        await asyncio.sleep(2 * TICK_SECONDS)
        clock.now += RECENT_SECONDS - 0.1
        assert watched.is_recent()

    asyncio.run(stand_still())


def test_a_loop_that_begins_has_not_stood_still() -> None:
    clock = Clock()
    watched = Stalls(clock)

    async def begin() -> bool:
        watched.watch()
        return watched.is_recent()

    assert not asyncio.run(begin())
    clock.now += 3600
    assert not asyncio.run(begin())


class Stalled(Stalls):
    def is_recent(self) -> bool:
        return True


@pytest.mark.parametrize("body", [b"", b"one"])
@pytest.mark.parametrize("stays", [True, False])
def test_after_a_stall_a_change_is_made_only_for_who_is_still_there(
    body: bytes, stays: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stalls, "LOOK_SECONDS", 0.01)
    made: list[bytes] = []

    async def change(scope: Scope, receive: Receive, send: Send) -> None:
        made.append(await read_body(scope, receive, limit_bytes=100) if body else b"")
        await respond(send, RawResponse(status=204, headers=(), body=b""))

    application = hybrid(_none, [lambda scope: change], stalls=Stalled(), answer_seconds=60)
    headers = [(b"content-length", b"%d" % len(body))] if body else []
    client = ask(application, http_scope(method="PUT", headers=headers), _message(body), stays=stays)

    assert made == ([body] if stays else [])
    assert [each["status"] for each in client.received[:1]] == ([204] if stays else [])


def test_what_only_reads_is_answered_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stalls, "LOOK_SECONDS", 60.0)

    async def read(scope: Scope, receive: Receive, send: Send) -> None:
        await respond(send, RawResponse(status=204, headers=(), body=b""))

    assert ask(hybrid(_none, [lambda scope: read], stalls=Stalled()), http_scope()).status == 204


def test_a_handler_that_waits_for_the_client_s_end_after_a_stall_is_told_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stalls, "LOOK_SECONDS", 0.01)
    heard: list[str] = []

    async def wait(scope: Scope, receive: Receive, send: Send) -> None:
        heard.append((await receive())["type"])
        client.gone.set()
        heard.append((await receive())["type"])

    async def exchange() -> None:
        await hybrid(_none, [lambda scope: wait], stalls=Stalled())(
            http_scope(method="POST"), client.receive, client.send
        )

    client = Client(_message(b""))
    asyncio.run(exchange())
    assert heard == ["http.request", "http.disconnect"]


def _none(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    raise AssertionError("A lane answers.")


def _message(body: bytes) -> dict[str, Any]:
    return {"type": "http.request", "body": body, "more_body": False}
