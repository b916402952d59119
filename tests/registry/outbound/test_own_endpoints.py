import socket

import pytest
from django.db import connection
from pytest_django import Settings

from config.problems import Invalid
from registry.instances import declaration
from registry.outbound import own_endpoints
from registry.outbound.address_policy import AddressPolicy
from registry.outbound.own_endpoints import OwnEndpoints
from tests.waiting import until


class Names:
    """The system's resolver, at a time that a test says; what it knows nothing of does not resolve."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.addresses: list[str] = []
        self.asked = 0
        self.endpoints = OwnEndpoints(look_up=self.look_up, clock=lambda: self.now)

    def look_up(self, host: str) -> list[str]:
        self.asked += 1
        if not self.addresses:
            raise socket.gaierror(-3, "Temporary failure in name resolution")
        return self.addresses

    @property
    def hosts(self) -> set[str]:
        return {host for host, _ in self.endpoints.known()}


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> Names:
    settings.REDIS_URL = "unix:///run/redis.sock"
    monkeypatch.setitem(connection.settings_dict, "HOST", "db.internal")
    return Names()


def test_a_name_that_did_not_resolve_is_asked_for_again(names: Names) -> None:
    assert names.hosts == {"db.internal"}
    names.addresses = ["10.0.0.5"]
    assert names.hosts == {"db.internal"}

    names.now += own_endpoints.FAILED_SECONDS
    until(lambda: names.hosts == {"db.internal", "10.0.0.5"})


def test_an_address_that_moved_is_known_after_a_while_and_asked_for_no_more_often(names: Names) -> None:
    names.addresses = ["10.0.0.5"]
    assert [names.hosts for _ in range(9)] == [{"db.internal", "10.0.0.5"}] * 9
    assert names.asked == 1
    policy = AddressPolicy(["10.0.0.0/8"], names.endpoints.known)
    names.addresses = ["10.0.0.6"]

    names.now += own_endpoints.RESOLVED_SECONDS
    until(lambda: names.hosts == {"db.internal", "10.0.0.6"})
    assert names.asked == 2
    # Also by those who judge at each connection, and have for long.
    assert policy.refusal("10.0.0.5", 5432) is None
    assert policy.refusal("10.0.0.6", 5432) is not None


def test_what_does_not_resolve_any_more_is_still_where_it_was(names: Names) -> None:
    names.addresses = ["10.0.0.5"]
    assert names.hosts == {"db.internal", "10.0.0.5"}
    names.addresses = []

    names.now += own_endpoints.RESOLVED_SECONDS
    until(lambda: bool(names.hosts) and names.asked == 2)
    assert names.hosts == {"db.internal", "10.0.0.5"}


@pytest.fixture
def database(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(connection.settings_dict, "HOST", "localhost")
    monkeypatch.setitem(connection.settings_dict, "PORT", "5433")


@pytest.mark.usefixtures("database")
def test_the_database_and_redis_are_known_by_name_and_by_address(settings: Settings) -> None:
    settings.REDIS_URL = "redis://:password@10.0.0.7/1"

    assert {("localhost", 5433), ("127.0.0.1", 5433), ("10.0.0.7", 6379)} <= OwnEndpoints().known()


@pytest.mark.parametrize("host", ["", "/run/postgresql"])
def test_a_file_and_a_socket_cannot_be_called(host: str, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(connection.settings_dict, "HOST", host)
    settings.REDIS_URL = "unix:///run/redis.sock"

    assert OwnEndpoints().known() == frozenset()


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize("url", ["http://localhost:5433", "http://127.0.0.1:5433", "http://[::ffff:127.0.0.1]:5433"])
def test_nobody_has_the_registry_call_its_own_database(url: str, settings: Settings) -> None:
    # Another policy than that of earlier tests, which knows another database.
    settings.ALLOWED_NETWORKS = ["127.0.0.0/9"]
    with pytest.raises(Invalid) as refused:
        declaration.declaration({"url": "http://127.0.0.1:9000", "heartbeat": {"url": url}})

    [error] = refused.value.errors or []
    assert error["pointer"] == "/heartbeat/url"
    assert "endpoint of the registry's own" in error["detail"]


@pytest.mark.usefixtures("database")
def test_another_port_of_the_same_host_may_be_called() -> None:
    assert declaration.declaration({"url": "http://localhost:9000"}).url == "http://localhost:9000"
