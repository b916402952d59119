import gc
import shutil
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest
from django.db import OperationalError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.utils import ConnectionHandler
from pytest_django import DjangoDbBlocker

from config import env
from config.services import SERVICES
from tests.waiting import PATIENCE_SECONDS

# In the wait for a lock, longer than any collection of garbage, also on a machine that stands still for a while.
LOCK_SECONDS = 30
SIDES = ("", "-wal", "-shm")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return made(tmp_path / "grading.sqlite3", "first")


@pytest.fixture
def connection(
    monkeypatch: pytest.MonkeyPatch, file: Path, django_db_blocker: DjangoDbBlocker
) -> Iterator[BaseDatabaseWrapper]:
    """An open connection as a service has it, with something written that is in the write-ahead log only."""
    monkeypatch.setenv("GRADING_DATABASE_URL", f"sqlite:///{file}")
    connection = ConnectionHandler({"default": env.database(SERVICES["grading"])})["default"]
    with django_db_blocker.unblock(), closing(connection):
        with connection.cursor() as cursor:
            cursor.execute("UPDATE told SET name = 'first, changed'")
        yield connection


def made(file: Path, name: str) -> Path:
    with closing(sqlite3.connect(file)) as database:
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("CREATE TABLE told (name)")
        # Longer than the first one's log is.
        database.executemany("INSERT INTO told VALUES (?)", [(name,)] * 2000)
        database.commit()
    return file


def told(connection: BaseDatabaseWrapper) -> str:
    """The error at the next request."""
    connection.close_if_unusable_or_obsolete()
    with connection.cursor() as cursor:
        cursor.execute("SELECT min(name) FROM told")
        return str(cursor.fetchone()[0])


def remove(file: Path, *sides: str) -> None:
    for side in sides:
        Path(f"{file}{side}").unlink(missing_ok=True)


def test_a_file_that_is_the_same_stays_open(connection: BaseDatabaseWrapper) -> None:
    before = connection.connection

    assert told(connection) == "first, changed"
    assert connection.connection is before


def test_a_file_that_was_deleted_and_made_anew_is_opened(connection: BaseDatabaseWrapper, file: Path) -> None:
    remove(file, *SIDES)
    made(file, "second")

    assert told(connection) == "second"


def test_a_copy_that_is_put_in_its_place_is_opened(connection: BaseDatabaseWrapper, file: Path, tmp_path: Path) -> None:
    copy = made(tmp_path / "copy", "second")
    remove(file, "-wal", "-shm")
    copy.replace(file)

    assert told(connection) == "second"


def test_while_there_is_none_nothing_is_written_to_what_was_deleted_and_none_is_made(
    connection: BaseDatabaseWrapper, file: Path
) -> None:
    remove(file, *SIDES)

    for _ in range(2):
        with pytest.raises(OperationalError, match="is gone"):
            told(connection)
    assert not file.exists()
    made(file, "second")
    assert told(connection) == "second"


def test_a_copy_beside_the_log_of_the_one_before_is_left_whole(
    connection: BaseDatabaseWrapper, file: Path, tmp_path: Path
) -> None:
    copy = made(tmp_path / "copy", "second")
    content = copy.read_bytes()
    copy.replace(file)

    for _ in range(2):
        with pytest.raises(OperationalError, match=f"remove {file}-wal"):
            told(connection)
    assert file.read_bytes() == content
    remove(file, "-wal", "-shm")
    assert told(connection) == "second"


def test_what_was_moved_away_and_comes_back_is_used_on(connection: BaseDatabaseWrapper, file: Path) -> None:
    away = file.rename(f"{file}.away")
    with pytest.raises(OperationalError, match="is gone"):
        told(connection)
    shutil.move(away, file)

    assert told(connection) == "first, changed"


def test_garbage_of_a_failed_statement_waits_for_no_lock_that_its_connection_waits_for(
    connection: BaseDatabaseWrapper, file: Path
) -> None:
    raw = connection.connection
    began = threading.Event()

    def wait() -> None:
        with suppress(sqlite3.OperationalError):
            raw.execute("BEGIN IMMEDIATE")

    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        raw.execute("PRAGMA busy_timeout = 0")
        with pytest.raises(OperationalError, match="locked") as failure:
            connection.cursor().execute("BEGIN IMMEDIATE")
        raw.execute(f"PRAGMA busy_timeout = {1000 * LOCK_SECONDS}")
        raw.set_trace_callback(lambda statement: began.set())
        waiting = threading.Thread(target=wait)
        waiting.start()
        assert began.wait(PATIENCE_SECONDS)

        begun = time.monotonic()
        del failure
        gc.collect()
        took_seconds = time.monotonic() - begun
        other.rollback()
        waiting.join()

    assert took_seconds < LOCK_SECONDS - 1
