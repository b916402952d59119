"""A process that serves waits for no lock longer than its client waits for an answer."""

import sqlite3
from contextlib import closing
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from django.db import OperationalError
from django.db.utils import ConnectionHandler
from pytest_django import DjangoDbBlocker

from config import env, serving
from config.services import SERVICES


def test_a_locked_database_is_said_to_be_so_in_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, django_db_blocker: DjangoDbBlocker
) -> None:
    monkeypatch.setenv("REGISTRY_DATABASE_URL", f"sqlite:///{tmp_path / 'locked.sqlite3'}")
    monkeypatch.setattr(serving, "LOCK_SECONDS", 0.1)
    handler = connections(monkeypatch)
    serving.wait_briefly()
    with django_db_blocker.unblock(), closing(handler["default"]) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE told (name)")
        with closing(sqlite3.connect(tmp_path / "locked.sqlite3", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            began = monotonic()
            with pytest.raises(OperationalError, match="locked"):
                cursor.execute("INSERT INTO told VALUES ('x')")
    assert monotonic() - began < env.database(SERVICES["registry"])["OPTIONS"]["timeout"]


def test_postgresql_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGISTRY_DATABASE_URL", "postgres://rollcall@127.0.0.1/rollcall")
    handler = connections(monkeypatch)
    serving.wait_briefly()
    options = handler.settings["default"]["OPTIONS"]["options"]
    assert options.startswith("-c idle_in_transaction_session_timeout=10s ")
    assert options.endswith(" -c lock_timeout=1500ms")


def connections(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The connections of a process that serves the registry."""
    handler = ConnectionHandler({"default": env.database(SERVICES["registry"])})
    monkeypatch.setattr(serving, "connections", handler)
    return handler
