import socket
import threading
from collections.abc import Iterator

import pytest
from django.db import connection
from pytest_django import Settings

from config.problems import Invalid
from registry.instances import declaration
from registry.outbound import own_endpoints
from tests.waiting import until


@pytest.fixture(autouse=True)
def _asked_anew(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(own_endpoints, "_known", None)
    yield
    # What is found late must not be kept for the next test.
    until(lambda: own_endpoints.THREAD not in {thread.name for thread in threading.enumerate()})


class Names:
    """The system's resolver, at a time that a test says; what it knows nothing of does not resolve."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.addresses: list[str] = []
        self.asked = 0

    def getaddrinfo(self, host: str, *_: object, **__: object) -> list[tuple[object, ...]]:
        self.asked += 1
        if not self.addresses:
            raise socket.gaierror(-3, "Temporary failure in name resolution")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 0)) for address in self.addresses]


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> Names:
    names = Names()
    settings.REDIS_URL = "unix:///run/redis.sock"
    monkeypatch.setitem(connection.settings_dict, "HOST", "db.internal")
    monkeypatch.setattr("registry.outbound.own_endpoints.socket.getaddrinfo", names.getaddrinfo)
    monkeypatch.setattr(own_endpoints, "monotonic", lambda: names.now)
    return names


def hosts() -> set[str]:
    return {host for host, _ in own_endpoints.own()}


def test_a_name_that_did_not_resolve_is_asked_for_again(names: Names) -> None:
    assert hosts() == {"db.internal"}
    names.addresses = ["10.0.0.5"]
    assert hosts() == {"db.internal"}

    names.now += own_endpoints.FAILED_SECONDS
    until(lambda: hosts() == {"db.internal", "10.0.0.5"})


def test_an_address_that_moved_is_known_after_a_while_and_asked_for_no_more_often(names: Names) -> None:
    names.addresses = ["10.0.0.5"]
    assert [hosts() for _ in range(9)] == [{"db.internal", "10.0.0.5"}] * 9
    assert names.asked == 1
    policy = declaration.address_policy()
    names.addresses = ["10.0.0.6"]

    names.now += own_endpoints.RESOLVED_SECONDS
    until(lambda: hosts() == {"db.internal", "10.0.0.6"})
    assert names.asked == 2
    # Also by those who judge at each connection, and have for long.
    assert policy.refusal("10.0.0.5", 5432) is None
    assert policy.refusal("10.0.0.6", 5432) is not None


def test_what_does_not_resolve_any_more_is_still_where_it_was(names: Names) -> None:
    names.addresses = ["10.0.0.5"]
    own_endpoints.own()
    names.addresses = []

    names.now += own_endpoints.RESOLVED_SECONDS
    until(lambda: own_endpoints.own() and names.asked == 2)
    assert hosts() == {"db.internal", "10.0.0.5"}


@pytest.fixture
def database(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(connection.settings_dict, "HOST", "localhost")
    monkeypatch.setitem(connection.settings_dict, "PORT", "5433")


@pytest.mark.usefixtures("database")
def test_the_database_and_redis_are_known_by_name_and_by_address(settings: Settings) -> None:
    settings.REDIS_URL = "redis://:password@10.0.0.7/1"

    assert {("localhost", 5433), ("127.0.0.1", 5433), ("10.0.0.7", 6379)} <= own_endpoints.own()


@pytest.mark.parametrize("host", ["", "/run/postgresql"])
def test_a_file_and_a_socket_cannot_be_called(host: str, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(connection.settings_dict, "HOST", host)
    settings.REDIS_URL = "unix:///run/redis.sock"

    assert own_endpoints.own() == frozenset()


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
