import socket

import pytest

from config import ports
from tests import ports as test_ports
from tests.ports import free_port


def test_a_free_port_is_not_refused() -> None:
    assert ports.refusal("127.0.0.1", free_port()) is None


def test_a_port_that_somebody_listens_on_is_refused_with_the_reason() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        assert ports.refusal("127.0.0.1", listener.getsockname()[1]) == "Address already in use"


def test_a_port_that_a_server_shares_is_refused_too() -> None:
    with socket.create_server(("127.0.0.1", 0), reuse_port=True) as listener:
        assert ports.refusal("127.0.0.1", listener.getsockname()[1]) == "Address already in use"


def test_a_port_that_somebody_listens_on_at_every_address_is_refused() -> None:
    with socket.create_server(("0.0.0.0", 0)) as listener:
        assert ports.refusal("127.0.0.1", listener.getsockname()[1]) == "Address already in use"


def test_an_address_of_another_machine_is_refused() -> None:
    assert ports.refusal("192.0.2.1", 8000) == "Cannot assign requested address"


def test_a_port_that_was_given_is_given_to_nobody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even to another process: to it, too, the port would be free until somebody listens."""
    given = free_port()
    monkeypatch.setattr(test_ports, "CHOICE", [*[given] * 200_000, *test_ports.CHOICE])

    assert free_port() != given
