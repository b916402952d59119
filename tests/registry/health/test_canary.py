import socket

import pytest

from registry.health.canary import FRESH_SECONDS, Canary
from tests.clock import Clock


@pytest.fixture
def closed() -> str:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return f"http://127.0.0.1:{server.getsockname()[1]}"


def test_without_a_canary_nothing_is_silent() -> None:
    assert not Canary([]).is_silent()


def test_one_canary_that_answers_is_enough(closed: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert not Canary([closed, f"http://127.0.0.1:{server.getsockname()[1]}"]).is_silent()


def test_when_none_answers_they_are_silent_and_asked_no_more_often_than_every_two_seconds() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        urls = [f"http://127.0.0.1:{server.getsockname()[1]}"]
    clock = Clock()
    canary = Canary(urls, clock)
    assert canary.is_silent()

    with socket.create_server(("127.0.0.1", int(urls[0].rpartition(":")[2]))):
        # Answers by now, which is not looked at yet.
        clock.now += FRESH_SECONDS
        assert canary.is_silent()
        clock.now += 0.1
        assert not canary.is_silent()
