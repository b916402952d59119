from collections.abc import Iterator

import pytest
from django.db import connection
from pytest_django import Settings

from config.problems import Invalid
from registry import declaration, endpoints


@pytest.fixture(autouse=True)
def _asked_anew() -> Iterator[None]:
    endpoints.own.cache_clear()
    yield
    endpoints.own.cache_clear()


@pytest.fixture
def database(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(connection.settings_dict, "HOST", "localhost")
    monkeypatch.setitem(connection.settings_dict, "PORT", "5433")


@pytest.mark.usefixtures("database")
def test_the_database_and_redis_are_known_by_name_and_by_address(settings: Settings) -> None:
    settings.REDIS_URL = "redis://:password@10.0.0.7/1"

    assert {("localhost", 5433), ("127.0.0.1", 5433), ("10.0.0.7", 6379)} <= endpoints.own()


@pytest.mark.parametrize("host", ["", "/run/postgresql"])
def test_a_file_and_a_socket_cannot_be_called(host: str, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(connection.settings_dict, "HOST", host)
    settings.REDIS_URL = "unix:///run/redis.sock"

    assert endpoints.own() == frozenset()


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize("url", ["http://localhost:5433", "http://127.0.0.1:5433", "http://[::ffff:127.0.0.1]:5433"])
def test_nobody_has_the_registry_call_its_own_database(url: str) -> None:
    with pytest.raises(Invalid) as refused:
        declaration.declaration({"url": "http://127.0.0.1:9000", "heartbeat": {"url": url}})

    [error] = refused.value.errors or []
    assert error["pointer"] == "/heartbeat/url"
    assert "endpoint of the registry's own" in error["detail"]


@pytest.mark.usefixtures("database")
def test_another_port_of_the_same_host_may_be_called() -> None:
    assert declaration.declaration({"url": "http://localhost:9000"}).url == "http://localhost:9000"
