import asyncio
from collections.abc import Callable
from dataclasses import replace
from threading import Event
from typing import Any

import pytest
from django.db import DEFAULT_DB_ALIAS, OperationalError, connection, connections
from pytest_django import Settings

from config.problems import Unavailable
from config.threads import Threads
from registry.discovery import documents, reader
from registry.discovery.pages import Address, Page
from registry.discovery.reader import Reader


class _Lost:
    """The connection to a server that was restarted: queries on it fail until it is opened anew."""

    vendor = "postgresql"

    def __init__(self, *, is_usable: bool = False) -> None:
        self.connection: object | None = object()
        self._is_usable = is_usable

    def is_usable(self) -> bool:
        return self._is_usable

    def close(self) -> None:
        self.connection = None


@pytest.fixture
def lose(monkeypatch: pytest.MonkeyPatch) -> Callable[[_Lost], None]:
    return lambda lost: monkeypatch.setattr(reader, "connection", lost)


def asking(lost: _Lost) -> Callable[[], str]:
    def ask() -> str:
        if lost.connection is not None:
            raise OperationalError("the connection is closed")
        return "found"

    return ask


def test_what_is_read_on_a_lost_connection_is_read_on_another(lose: Callable[[_Lost], None]) -> None:
    lost = _Lost()
    lose(lost)

    assert reader.read(asking(lost)) == "found"


def test_what_fails_on_a_connection_that_is_there_is_not_tried_again(lose: Callable[[_Lost], None]) -> None:
    lost = _Lost(is_usable=True)
    lose(lost)

    with pytest.raises(OperationalError):
        reader.read(asking(lost))


@pytest.mark.django_db(transaction=True)
@pytest.mark.postgresql
def test_a_connection_that_the_server_has_closed_is_opened_anew() -> None:
    def ask() -> int:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            return int(cursor.fetchone()[0])

    first = reader.read(ask)
    other = connections.create_connection(DEFAULT_DB_ALIAS)
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 30000)", [first])
    other.close()

    assert reader.read(ask) != first


def test_a_read_that_the_database_does_not_answer_is_refused_in_time(settings: Settings) -> None:
    settings.ANSWER_SECONDS = 0.05
    answered = Event()

    async def scenario() -> None:
        with pytest.raises(Unavailable, match="did not answer") as refused:
            await reader.read_in(Threads(1), answered.wait)
        assert refused.value.headers["Retry-After"] == "1"

    try:
        asyncio.run(scenario())
    finally:
        answered.set()


def test_a_page_that_is_made_and_too_old_is_made_anew_by_who_asks_before_it_is_kept() -> None:
    """Else the reader, which asks for a page until it is recent enough, would never let go of the loop."""
    makings: list[asyncio.Future[Any]] = []

    def run(function: Callable[[], Any]) -> "asyncio.Future[Any]":
        makings.append(asyncio.get_running_loop().create_future())
        return makings[-1]

    def page(revision: int) -> Page:
        return Page(history="", revision=revision, services=frozenset(["a"]), rest=b"{}", names_revision=False)

    async def scenario() -> None:
        running = Reader(run)
        address, document = Address("/", b""), documents.service("a")
        document = replace(document, make=lambda: page(0))
        first = running.make_soon(address, document)
        makings[0].set_result(page(1))
        assert first.done()

        again = running.make_soon(address, document)
        assert not again.done()
        assert running.make_soon(address, document) is again
        await asyncio.sleep(0)
        assert running.make_soon(address, document) is again
        makings[1].set_result(page(2))
        await asyncio.sleep(0)
        assert running.make_soon(address, document) is not again

    asyncio.run(scenario())


def test_a_read_that_waits_for_the_poll_before_it_is_refused_in_time(settings: Settings) -> None:
    settings.ANSWER_SECONDS = 0.05

    async def hang(function: Callable[[], Any]) -> Any:
        await asyncio.Event().wait()

    async def scenario() -> None:
        running = Reader(hang)
        for _ in range(2):
            with pytest.raises(Unavailable, match="did not answer"):
                await running.reach(at_least=None, strictly=True)

    asyncio.run(scenario())
