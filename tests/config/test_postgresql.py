"""A connection to PostgreSQL that is dropped without a word is given up; one whose statement is slow is not."""

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db import OperationalError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.utils import ConnectionHandler
from pytest_django import DjangoDbBlocker

from config import env
from config.postgresql import base
from config.services import SERVICES
from tests import postgresql
from tests.faults.proxy import Proxy
from tests.waiting import PATIENCE_SECONDS


class Line:
    """A proxy to the server, on an event loop of its own."""

    def __init__(self, socket: Path) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever)
        self._thread.start()
        self.proxy = Proxy(socket)
        asyncio.run_coroutine_threadsafe(self.proxy.start(), self.loop).result()

    def stop(self) -> None:
        asyncio.run_coroutine_threadsafe(self.proxy.stop(), self.loop).result()
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()


@pytest.fixture(scope="module")
def socket() -> Iterator[Path]:
    with postgresql.server() as url:
        yield Path(parse_qs(urlsplit(url).query)["host"][0]) / ".s.PGSQL.5432"


@pytest.fixture
def line(socket: Path) -> Iterator[Line]:
    line = Line(socket)
    yield line
    line.stop()


@pytest.fixture
def database(
    line: Line, monkeypatch: pytest.MonkeyPatch, django_db_blocker: DjangoDbBlocker
) -> Iterator[BaseDatabaseWrapper]:
    monkeypatch.setenv("REGISTRY_DATABASE_URL", f"postgres://postgres@127.0.0.1:{line.proxy.port}/postgres")
    database = ConnectionHandler({"default": env.database(SERVICES["registry"])})["default"]
    with django_db_blocker.unblock(), closing(database):
        yield database


@pytest.fixture(autouse=True)
def _is_patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """No pause of the machine is taken for a connection that was dropped."""
    for name in ("FIRST_LOOK_SECONDS", "SECOND_LOOK_SECONDS", "ASKING_SECONDS"):
        monkeypatch.setattr(base, name, PATIENCE_SECONDS)
    monkeypatch.setattr(base, "CONNECTING_SECONDS", int(PATIENCE_SECONDS))


def ask(database: BaseDatabaseWrapper, sql: str) -> Any:
    with database.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchone()


def find_dropped(database: BaseDatabaseWrapper) -> None:
    """Ask on a connection that is known to have been cut, and so in a hurry."""
    with pytest.MonkeyPatch.context() as patching:
        for name in ("FIRST_LOOK_SECONDS", "SECOND_LOOK_SECONDS"):
            patching.setattr(base, name, 0.2)
        patching.setattr(base, "CONNECTING_SECONDS", 2)
        with pytest.raises(OperationalError, match="dropped on the way"):
            ask(database, "SELECT 2")


def test_a_statement_on_a_connection_that_was_dropped_fails_and_the_next_has_another(
    line: Line, database: BaseDatabaseWrapper
) -> None:
    assert ask(database, "SELECT 1") == (1,)
    line.proxy.cut()
    find_dropped(database)
    line.proxy.mend()
    database.close_if_unusable_or_obsolete()
    assert ask(database, "SELECT 3") == (3,)


def test_one_that_was_dropped_while_new_ones_are_served_is_found_out_too(
    line: Line, database: BaseDatabaseWrapper
) -> None:
    assert ask(database, "SELECT 1") == (1,)
    line.proxy.cut()
    line.proxy.mend()
    find_dropped(database)


def test_the_other_connections_of_a_process_are_asked_after_sooner_when_one_was_dropped(
    line: Line, database: BaseDatabaseWrapper, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(database.copy()) as other, closing(database.copy()) as well:
        assert ask(database, "SELECT 1") == ask(other, "SELECT 1") == (1,)
        line.proxy.cut()
        line.proxy.mend()
        find_dropped(database)
        monkeypatch.setattr(base, "SECOND_LOOK_SECONDS", 0.2)
        begun = time.monotonic()
        with pytest.raises(OperationalError, match="dropped on the way"):
            ask(other, "SELECT 2")
        assert time.monotonic() - begun < base.FIRST_LOOK_SECONDS
        # One that was made since is waited for as ever.
        monkeypatch.setattr(base.WatchfulConnection, "is_served", lambda self: pytest.fail("It was asked after."))
        assert ask(well, "SELECT pg_sleep(0.5) IS NOT NULL") == (True,)


def test_the_locks_of_one_that_was_dropped_are_free_as_soon_as_there_is_another(
    line: Line, database: BaseDatabaseWrapper
) -> None:
    assert ask(database, "SELECT pg_advisory_lock(1) IS NOT NULL") == (True,)
    line.proxy.cut()
    line.proxy.mend()
    find_dropped(database)
    database.close_if_unusable_or_obsolete()
    assert ask(database, "SELECT pg_try_advisory_lock(1)") == (True,)


def test_a_slow_statement_is_waited_for(database: BaseDatabaseWrapper, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("FIRST_LOOK_SECONDS", "LONGEST_LOOK_SECONDS"):
        monkeypatch.setattr(base, name, 0.02)
    with closing(database.copy()) as other:
        assert ask(other, "SELECT pg_advisory_lock(2) IS NOT NULL") == (True,)
        is_served, found = base.WatchfulConnection.is_served, list[bool]()

        def look(connection: base.WatchfulConnection) -> bool:
            found.append(is_served(connection))
            if len(found) == 3:
                assert ask(other, "SELECT pg_advisory_unlock(2)") == (True,)
            return found[-1]

        monkeypatch.setattr(base.WatchfulConnection, "is_served", look)
        assert ask(database, "SELECT pg_advisory_lock(2) IS NOT NULL") == (True,)
    assert found[:3] == [True, True, True]


def test_a_connection_is_not_waited_for_for_ever(line: Line, database: BaseDatabaseWrapper) -> None:
    line.proxy.cut()
    with pytest.raises(OperationalError, match="timeout"):
        ask(database, "SELECT 1")
