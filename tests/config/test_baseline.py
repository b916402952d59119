import os
import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from config import baseline, env
from config.services import SERVICES
from tests import forked


def script(service: str) -> str:
    return (env.BASE_DIR / service / "migrations" / "baseline.sql").read_text()


@pytest.mark.parametrize("service", SERVICES)
def test_a_baseline_is_what_the_migrations_come_to(service: str, tmp_path: Path) -> None:
    inherited = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    done = forked.run(
        [str(env.BASE_DIR / "manage.py"), service, "write_baseline", "--check"],
        env={**inherited, "ROLLCALL_DATA_DIR": str(tmp_path)},
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("service", SERVICES)
def test_a_baseline_makes_what_it_names_and_no_two_databases_share_a_history(service: str) -> None:
    histories = []
    for _ in range(2):
        with closing(sqlite3.connect(":memory:")) as connection:
            connection.executescript(script(service))
            made = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE sql IS NOT NULL")}
            assert made >= set(re.findall(r'^CREATE (?:VIRTUAL )?TABLE "?(\w+)"?', script(service), re.MULTILINE))
            assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
            if service == "registry":
                histories += connection.execute("SELECT history FROM registry_head").fetchall()
    assert len(set(histories)) == len(histories)


@pytest.mark.django_db
def test_a_database_that_has_tables_is_left_alone() -> None:
    assert not baseline.load()
