"""The receivers for Starlette, FastAPI and Flask: a few lines each over the same core."""

import asyncio
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import httpx2
import pytest
from fastapi import FastAPI
from flask import Flask
from starlette.applications import Starlette

from registry.client import Membership, new_secret, receiver
from registry.client.flask import blueprint
from registry.client.starlette import route
from tests.clients.registry import test_membership
from tests.clients.registry.fake import FakeRegistry, registration
from tests.waiting import until

NOTIFY = "/rollcall/notify"
Post = Callable[[dict[str, str], bytes], httpx2.Response]


@pytest.fixture
def me(registry: FakeRegistry, monkeypatch: pytest.MonkeyPatch) -> Iterator[Membership]:
    monkeypatch.setattr(test_membership, "NOW", datetime.now(UTC))
    with registry.client().registered(registration(notify_url=f"http://webui.test{NOTIFY}")) as me:
        until(lambda: me.revision == 1)
        yield me


@pytest.fixture(params=["starlette", "fastapi", "flask"])
def post(request: pytest.FixtureRequest, me: Membership) -> Post:
    match request.param:
        case "starlette":
            return asynchronously(Starlette(routes=[route(me)]))
        case "fastapi":
            app = FastAPI()
            app.router.routes.append(route(me))
            return asynchronously(app)
    flask = Flask("test")
    flask.register_blueprint(blueprint(me))

    def post_to_flask(headers: dict[str, str], body: bytes) -> httpx2.Response:
        with httpx2.Client(transport=httpx2.WSGITransport(flask), base_url="http://webui.test") as client:
            return client.post(NOTIFY, headers=headers, content=body)

    return post_to_flask


def asynchronously(app: Starlette) -> Post:
    def post(headers: dict[str, str], body: bytes) -> httpx2.Response:
        async def ask() -> httpx2.Response:
            transport = httpx2.ASGITransport(app)
            async with httpx2.AsyncClient(transport=transport, base_url="http://webui.test") as client:
                return await client.post(NOTIFY, headers=headers, content=body)

        return asyncio.run(ask())

    return post


def test_a_genuine_webhook_is_known_at_once(me: Membership, post: Post) -> None:
    answer = post(*test_membership.webhook(me.registration.notify_secret or "", 1, 5, "grading-1"))
    assert (answer.status_code, answer.content) == (204, b"")
    assert [provider.instance for provider in me.providers("grading")] == ["grading-1"]


def test_a_forged_webhook_is_refused(me: Membership, post: Post) -> None:
    answer = post(*test_membership.webhook(new_secret(), 1, 5, "grading-1"))
    assert (answer.status_code, answer.headers["Content-Type"]) == (401, "application/problem+json")
    assert me.providers("grading") == ()


def test_a_body_over_the_limit_is_refused(post: Post) -> None:
    answer = post({}, b" " * (receiver.BODY_LIMIT_BYTES + 1))
    assert (answer.status_code, answer.headers["Content-Type"]) == (413, "application/problem+json")
