"""Dependents that require the same share what is made of it."""

import json
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any

import pytest

from registry.discovery import documents
from registry.discovery.pages import Address, Answer, Page
from registry.webhooks import replay
from tests import factories
from tests.config.asgi import Client
from tests.registry.discovery.desk import Desk

DEPENDENTS = 50


def address(number: int) -> str:
    return f"/v1/instances/d-{number}/d-{number}/providers"


def offered(client: Client) -> dict[str, list[str]]:
    providers = json.loads(client.body)["providers"]
    return {service: [each["instance"] for each in offered] for service, offered in providers.items()}


@pytest.fixture
def register(now: datetime) -> Callable[..., Callable[[], Any]]:
    return lambda number, *requires: partial(
        factories.register, f"d-{number}", f"d-{number}", now=now, requires=list(requires)
    )


@pytest.fixture(autouse=True)
def _dependents(db: None, now: datetime, register: Callable[..., Any]) -> None:
    factories.passing("logsvc", now=now)
    for number in range(DEPENDENTS):
        register(number, "logsvc", "mail")()


def test_a_change_is_made_into_one_page_however_many_dependents_wait_for_it(desk: Desk, now: datetime) -> None:
    async def scenario(desk: Desk) -> None:
        for number in range(DEPENDENTS):
            await desk.get(address(number))
        assert desk.made == DEPENDENTS + 1
        clients = [Client() for _ in range(DEPENDENTS)]
        revision = desk.reader.revisions.head
        waiting = [
            desk.begin(f"{address(number)}?after={revision}&wait=60s", client) for number, client in enumerate(clients)
        ]
        await desk.until_waiting(DEPENDENTS)
        await desk.do(partial(factories.passing, "mail", now=now))
        await desk.look()
        for each in waiting:
            await each
        assert [offered(client) for client in clients] == [{"logsvc": ["logsvc-1"], "mail": ["mail-1"]}] * DEPENDENTS
        assert desk.made == DEPENDENTS + 2

    desk.run(scenario)


def test_a_dependent_that_requires_something_else_is_told_of_that(desk: Desk, register: Callable[..., Any]) -> None:
    async def scenario(desk: Desk) -> None:
        assert offered(await desk.get(address(0))) == {"logsvc": ["logsvc-1"], "mail": []}
        await desk.do(register(0, "logsvc"))
        assert offered(await desk.get(address(0))) == {"logsvc": ["logsvc-1"]}
        assert offered(await desk.get(address(1))) == {"logsvc": ["logsvc-1"], "mail": []}

    desk.run(scenario)


def test_what_is_required_and_what_is_offered_are_of_one_history(desk: Desk) -> None:
    async def scenario(desk: Desk) -> None:
        async def restore() -> None:
            if desk.made == 2:
                await desk.do(replay.begin_history)
                await desk.look()

        desk.on_made = restore
        tag = dict((await desk.get(address(0))).headers)[b"etag"]
        assert dict((await desk.get(address(0))).headers)[b"etag"] == tag
        assert desk.made == 4

    desk.run(scenario)


def test_what_is_made_of_a_history_that_is_not_known_yet_is_kept_for_nobody(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(desk: Desk) -> None:
        ask = partial(desk.reader.answer, Address(address(1), b""), documents.providers("d-1", "d-1"))
        look = desk.reader.watcher.look
        await desk.get(address(0))
        await desk.do(replay.begin_history)
        earlier: list[Answer] = []

        async def overtaken() -> None:
            monkeypatch.setattr(desk.reader.watcher, "look", look)
            # Both have looked before the history began; this one goes on before the other looks again.
            earlier.append(await ask())
            await look()

        monkeypatch.setattr(desk.reader.watcher, "look", overtaken)
        answers = [await ask(), *earlier]
        assert [answer.page.history for answer in answers] == [desk.reader.revisions.history] * 2

    desk.run(scenario)


def test_an_answer_is_as_old_as_the_older_of_its_parts() -> None:
    def answer(revision: int, *services: str) -> Answer:
        page = Page(history="a", revision=revision, services=frozenset(services), rest=b"", names_revision=True)
        return Answer(page=page, revision=revision)

    whole = answer(7, "webui").with_content(answer(9, "logsvc"))
    assert (whole.revision, whole.page.revision, whole.page.services) == (7, 7, frozenset(["webui", "logsvc"]))
    assert answer(9, "webui").with_content(answer(7, "logsvc")).revision == 7


def test_every_name_that_can_be_registered_is_answered_before_django(desk: Desk, now: datetime) -> None:
    service, instance = "my_app.eu-1", "Host.example:8000@a_1-b"

    async def scenario(desk: Desk) -> None:
        await desk.do(partial(factories.register, service, instance, now=now))
        for path in (
            f"/v1/services/{service}",
            f"/v1/services/{service}/instances",
            f"/v1/services/{service}/instances/{instance}",
            f"/v1/instances/{service}/{instance}/providers",
        ):
            assert (await desk.get(path)).status == 200, path

    desk.run(scenario)
