from contextlib import closing
from pathlib import Path

import pytest
from django.db.utils import ConnectionHandler
from pytest_django import DjangoDbBlocker

from config import env
from config.services import SERVICES
from config.sqlite import checkpoints


@pytest.mark.parametrize("is_relieved", [False, True])
def test_commits_leave_the_log_to_the_thread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, django_db_blocker: DjangoDbBlocker, is_relieved: bool
) -> None:
    monkeypatch.setenv("REGISTRY_DATABASE_URL", f"sqlite:///{tmp_path / 'own.sqlite3'}")
    handler = ConnectionHandler({"default": env.database(SERVICES["registry"])})
    monkeypatch.setattr(checkpoints, "connections", handler)
    monkeypatch.setattr(checkpoints, "connection", handler["default"])
    monkeypatch.setattr(checkpoints, "close_old_connections", lambda: None)
    monkeypatch.setattr(checkpoints, "PAUSE_SECONDS", 3600)
    if is_relieved:
        checkpoints.run_in_background()
    with django_db_blocker.unblock(), closing(handler["default"]) as own, own.cursor() as cursor:
        cursor.execute("CREATE TABLE told (name)")
        cursor.execute(
            "INSERT INTO told WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 6000)"
            " SELECT randomblob(1000) FROM n"
        )
        database = tmp_path / "own.sqlite3"
        grown = database.stat().st_size > 1_000_000
        assert grown is not is_relieved
        assert checkpoints.checkpoint() > 1000
        assert database.stat().st_size > 1_000_000


def test_where_there_is_no_log_nothing_is_relieved(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGISTRY_DATABASE_URL", "postgres://rollcall@127.0.0.1/rollcall")
    handler = ConnectionHandler({"default": env.database(SERVICES["registry"])})
    monkeypatch.setattr(checkpoints, "connections", handler)
    checkpoints.run_in_background()
    assert "init_command" not in handler.settings["default"]["OPTIONS"]
