"""Promises that hold between processes: no edit overwrites another, and what was acknowledged is whole and kept."""

import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any
from urllib.parse import urlsplit

import psycopg
import pytest

from tests import forked, postgresql
from tests.grading import writers

EDITS = writers.TEACHERS * writers.EDITS_EACH
CELLS = writers.STUDENTS * writers.ASSIGNMENTS


@pytest.fixture(scope="module")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database after all migrations, to be copied."""
    path = tmp_path_factory.mktemp("promises") / "template.sqlite3"
    outputs(f"sqlite:///{path}", "make")
    return path


@pytest.fixture(scope="module")
def postgresql_server() -> Iterator[str]:
    with postgresql.server(durable=False) as url:
        yield url


@pytest.fixture(scope="module")
def postgresql_template(postgresql_server: str) -> str:
    """The name of a database after all migrations."""
    with closing(psycopg.connect(postgresql_server, autocommit=True)) as connection:
        connection.execute("CREATE DATABASE template_of_promises")
    outputs(_on(postgresql_server, "template_of_promises"), "make")
    return "template_of_promises"


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    return f"sqlite:///{shutil.copy(sqlite_template, tmp_path / 'grading.sqlite3')}"


@pytest.fixture
def postgresql_url(postgresql_server: str, postgresql_template: str) -> Iterator[str]:
    """A database of its own on the one server."""
    yield from _created(postgresql_server, postgresql_template)


@pytest.fixture
def empty_sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'grading.sqlite3'}"


@pytest.fixture
def empty_postgresql_url(postgresql_server: str) -> Iterator[str]:
    yield from _created(postgresql_server, "template1")


def _created(server: str, template: str) -> Iterator[str]:
    with closing(psycopg.connect(server, autocommit=True)) as connection:
        connection.execute(f"CREATE DATABASE promises TEMPLATE {template}")
        yield _on(server, "promises")
        connection.execute("DROP DATABASE promises WITH (FORCE)")


def _on(server: str, name: str) -> str:
    return urlsplit(server)._replace(path=f"/{name}").geturl()


@pytest.fixture(params=["sqlite_url", "postgresql_url"])
def database(request: pytest.FixtureRequest) -> str:
    url: str = request.getfixturevalue(request.param)
    return url


@pytest.fixture(params=["empty_sqlite_url", "empty_postgresql_url"])
def empty_database(request: pytest.FixtureRequest) -> str:
    url: str = request.getfixturevalue(request.param)
    return url


def judge(database_url: str) -> list[tuple[int, int, int]]:
    """Each cell's score and version and how many changes it had, as the database has them without the service."""
    connect: Callable[[str], Any] = psycopg.connect if database_url.startswith("postgres") else sqlite3.connect
    with closing(connect(database_url.removeprefix("sqlite:///"))) as connection:
        cursor = connection.cursor()
        cursor.execute(
            "SELECT score, version, (SELECT COUNT(*) FROM grading_gradechange WHERE grade_id = grading_grade.id) "
            "FROM grading_grade"
        )
        return [(int(score), int(version), int(changes)) for score, version, changes in cursor.fetchall()]


def process(function: str, database_url: str, output: IO[str]) -> forked.Program:
    """A process that runs one of the writers."""
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "config.settings.grading",
        "GRADING_DATABASE_URL": database_url,
    }
    return forked.Program(["-m", "tests.grading.writing", function], env=environment, stdout=output)


def outputs(database: str, *functions: str) -> list[list[str]]:
    """The output of the writers, run at the same time."""
    with ExitStack() as files:
        written = [files.enter_context(TemporaryFile("w+")) for _ in functions]
        running = [process(*each) for each in zip(functions, [database] * len(functions), written, strict=True)]
        assert [each.wait(300) for each in running] == [0] * len(running)
        for output in written:
            output.seek(0)
        return [output.read().split() for output in written]


def test_two_teachers_who_edit_one_cell_lose_no_change_and_see_each_conflict(database: str) -> None:
    """Run in threads of one process, and then in two processes beside each other."""
    [[stored, differing, hundredths]] = outputs(database, "race")
    assert (int(stored), int(differing), int(hundredths)) == (EDITS, 0, 100 * EDITS)
    assert judge(database) == [(EDITS, EDITS, EDITS)]

    teachers = outputs(database, *["edit"] * writers.TEACHERS)
    assert sum(int(stored) for stored, _ in teachers) == EDITS
    assert judge(database) == [(2 * EDITS, 2 * EDITS, 2 * EDITS)]


def test_a_killed_process_loses_no_acknowledged_grade(sqlite_url: str) -> None:
    acknowledged = kill_amid("endless", sqlite_url, after=10)
    [(score, version, changes)] = judge(sqlite_url)
    assert acknowledged <= score <= acknowledged + 1
    assert score == version == changes


@pytest.mark.parametrize("writer", ["endless_bulk", "endless_import"])
def test_a_write_that_is_killed_is_whole_or_not_there(database: str, writer: str) -> None:
    acknowledged = kill_amid(writer, database, after=2)
    found = judge(database)
    assert len(found) == CELLS
    [(score, version, changes)] = set(found)
    assert acknowledged <= version <= acknowledged + 1
    assert score == version == changes


def test_migrations_keep_the_data_of_the_first_release(empty_database: str) -> None:
    [words] = outputs(empty_database, "migrated")
    assert words == [
        *("teacher", "ms-rivera", "student", "90.00", "90.00"),
        *("none", "excused"),
        *("none", "excused"),
        *("test", "test"),
        "True",
    ]


def kill_amid(writer: str, database: str, *, after: int) -> int:
    """The last write that a killed writer acknowledged."""
    reading, writing = os.pipe()
    with open(reading) as lines:
        with open(writing, "w") as output:
            running = process(writer, database, output)
        acknowledged = [int(lines.readline()) for _ in range(after)]
        running.kill()
        acknowledged += [int(line) for line in lines if line.endswith("\n")]
    running.wait()
    return acknowledged[-1]
