"""Every process of a project finds what it needs: the server without asking, the others by asking."""

import logging
from pathlib import Path

import pytest
from pytest_django import Settings

from registry.client.cache import Cache
from registry.client.django import discovery, joining
from registry.client.snapshot import Snapshot
from registry.client.state import State
from registry.client.wire import Provider
from tests.clients.registry.fake import FakeRegistry
from tests.waiting import until


def test_a_server_that_joined_knows_without_asking(registry: FakeRegistry) -> None:
    registry.offer("grading", "grading-1")
    joining.join()
    until(lambda: bool(discovery.instances("grading")))
    assert discovery.url("grading") == "http://grading-1.test"
    assert [request.method for request in registry.requests] == ["PUT"]


def test_a_server_asks_for_what_it_does_not_require(registry: FakeRegistry) -> None:
    registry.offer("logsvc", "logsvc-1", url="http://logsvc.test/")
    joining.join()
    assert discovery.logsvc_url() == "http://logsvc.test"


def test_a_process_that_has_not_joined_asks(registry: FakeRegistry) -> None:
    registry.offer("grading", "grading-1")
    chosen = discovery.choose("grading")
    assert chosen is not None
    assert chosen.instance == "grading-1"
    assert registry.registered() == {"grading/grading-1"}


def test_where_no_instance_is_offered_there_is_no_address() -> None:
    assert discovery.url("grading") is None
    assert discovery.choose("grading") is None
    assert discovery.instances("grading") == ()


def test_a_registry_that_is_away_raises_nothing_and_logs_nothing(
    registry: FakeRegistry, caplog: pytest.LogCaptureFixture
) -> None:
    registry.is_away = True
    with caplog.at_level(logging.INFO):
        assert discovery.logsvc_url() is None
    assert caplog.records == []


def test_what_the_server_knew_last_serves_its_workers_while_the_registry_is_away(
    registry: FakeRegistry, tmp_path: Path
) -> None:
    known = Provider(service="grading", instance="grading-7", url="http://g.test")
    state = State(tmp_path / "webui.webui-1")
    Cache(state=state).update(lambda _: Snapshot(revision=7, told_revision=7, providers={"grading": (known,)}))
    registry.is_away = True
    assert discovery.url("grading") == "http://g.test"


def test_settings_that_say_nothing_usable_raise_nothing(settings: Settings) -> None:
    settings.ROLLCALL = {}
    assert discovery.logsvc_url() is None
    assert discovery.instances("grading") == ()
