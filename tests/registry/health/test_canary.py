import socket

import pytest

from registry.health.canary import Canary


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
    canary = Canary(urls)
    assert canary.is_silent()

    # Answers by now, which is not looked at yet.
    with socket.create_server(("127.0.0.1", int(urls[0].rpartition(":")[2]))):
        assert canary.is_silent()
