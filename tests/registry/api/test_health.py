from datetime import datetime
from typing import Any

import pytest
import redis
from django.db import InterfaceError, OperationalError, connection
from django.test import Client
from pytest_django import Settings

from tests import factories

pytestmark = pytest.mark.django_db


class Redis:
    """One that answers."""

    def __enter__(self) -> "Redis":
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def ping(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _redis(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redis.Redis, "from_url", lambda *_, **__: Redis())


def readiness() -> tuple[int, Any]:
    answer = Client().get("/readyz")
    return answer.status_code, answer.json().get("away")


def test_it_is_ready_while_the_database_and_redis_are_there() -> None:
    assert readiness() == (200, None)


def test_a_redis_that_is_away_is_named_and_logged_on_one_line(
    monkeypatch: pytest.MonkeyPatch, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.undo()
    settings.REDIS_URL = "unix:///nowhere/redis.sock"

    assert readiness() == (503, ["redis"])
    (said,) = [record for record in caplog.records if record.name == "registry.api.health"]
    assert "Redis is away: " in said.getMessage()
    assert said.exc_info is None


@pytest.mark.parametrize("error", [OperationalError("refused"), InterfaceError("connection already closed")])
def test_a_database_that_is_away_is_named(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def away() -> None:
        raise error

    monkeypatch.setattr(connection, "ensure_connection", away)
    assert readiness() == (503, ["database"])


def test_a_worker_that_does_nothing_is_named(now: datetime) -> None:
    factories.passing("logsvc", now=now)

    body = Client().get("/readyz").json()

    assert body["status"] == "degraded"
    assert body["findings"][0] == "No instance has ever been probed: no heartbeats worker has begun."
