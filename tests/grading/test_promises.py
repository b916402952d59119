"""What holds between processes: no edit overwrites another, and no acknowledged grade is lost."""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import postgresql
from tests.grading import writers

POINTS = writers.WRITERS * writers.POINTS_EACH


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'grading.sqlite3'}"


@pytest.fixture(scope="module")
def postgresql_url() -> Iterator[str]:
    with postgresql.server() as url:
        yield url


def process(function: str, database_url: str) -> "subprocess.Popen[str]":
    """Of one of the writers."""
    program = f"import django; django.setup(); from tests.grading import writers; writers.{function}()"
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "config.settings.test",
        "REGISTRY_DATABASE_URL": database_url,
    }
    return subprocess.Popen([sys.executable, "-c", program], env=environment, stdout=subprocess.PIPE, text=True)


@pytest.mark.parametrize("database", ["sqlite_url", "postgresql_url"])
def test_no_point_is_lost_among_writers_at_the_same_time(database: str, request: pytest.FixtureRequest) -> None:
    with process("race", request.getfixturevalue(database)) as race:
        output, _ = race.communicate(timeout=300)
    assert output.split() == [f"{POINTS}.00", str(POINTS), str(POINTS)]


def test_a_killed_process_loses_no_acknowledged_grade(tmp_path: Path, sqlite_url: str) -> None:
    with process("endless", sqlite_url) as endless:
        assert endless.stdout is not None
        acknowledged = [int(endless.stdout.readline()) for _ in range(30)]
        endless.kill()
        acknowledged += [int(line) for line in endless.stdout if line.endswith("\n")]
    database = sqlite3.connect(tmp_path / "grading.sqlite3")
    score, version = database.execute("SELECT score, version FROM grading_grade").fetchone()
    changes = database.execute("SELECT count(*) FROM grading_gradechange").fetchone()[0]
    database.close()
    assert acknowledged[-1] <= score <= acknowledged[-1] + 1
    assert score == version == changes
