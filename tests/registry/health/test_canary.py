import socket

import pytest
from pytest_django import Settings

from registry.health.canary import Canary


@pytest.fixture
def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def test_without_a_canary_nothing_is_silent(settings: Settings) -> None:
    settings.CANARY_URLS = []

    assert not Canary().is_silent()


def test_one_canary_that_answers_is_enough(settings: Settings, closed_port: int) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        settings.CANARY_URLS = [f"http://127.0.0.1:{closed_port}", f"http://127.0.0.1:{server.getsockname()[1]}"]

        assert not Canary().is_silent()


def test_when_none_answers_they_are_silent_and_asked_no_more_often_than_every_two_seconds(
    settings: Settings, closed_port: int
) -> None:
    settings.CANARY_URLS = [f"http://127.0.0.1:{closed_port}"]
    canary = Canary()
    assert canary.is_silent()
    settings.CANARY_URLS = ["http://no.canary.invalid"]

    assert canary.is_silent()
