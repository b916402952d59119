import socket
from typing import Any

import pytest
import uvloop
from django.core.management import CommandError, call_command
from pytest_django import Settings

from config.management.commands import serve
from tests.ports import free_port


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """The hosts and ports at which the command would have served."""
    addresses: list[tuple[str, int]] = []

    def note(host: str, port: int) -> Any:
        addresses.append((host, port))

    monkeypatch.setattr(serve, "serve", note)
    monkeypatch.setattr(uvloop, "run", lambda _: None)
    return addresses


def test_it_serves_on_the_services_port(served: list[tuple[str, int]], settings: Settings) -> None:
    port = free_port()
    settings.PORT = port
    call_command("serve")
    assert served == [("127.0.0.1", port)]


def test_a_taken_port_is_told_with_its_setting(served: list[tuple[str, int]], settings: Settings) -> None:
    with (
        socket.create_server(("127.0.0.1", 0), reuse_port=True) as listener,
        pytest.raises(CommandError, match=f"set {settings.SERVICE.variable_prefix}_PORT to a free port"),
    ):
        call_command("serve", "--port", str(listener.getsockname()[1]))
    assert served == []


@pytest.mark.parametrize("arguments", [("--port", "0"), ("--port", "65536"), ("--port", "x"), ("--host", "localhost")])
def test_an_address_that_is_none_is_refused(served: list[tuple[str, int]], arguments: tuple[str, str]) -> None:
    with pytest.raises(CommandError, match=r"is not (a port|an IP address)"):
        call_command("serve", *arguments)
    assert served == []
