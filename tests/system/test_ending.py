"""The registry stops, or its clients go, in the midst of a group commit: what was answered is stored, nobody hangs."""

import socket
import struct
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from itertools import count

import pytest

from tests.system.serving import CLOSED, HANGING_SECONDS, WHOLE, Server, address, register
from tests.waiting import until

CLIENTS = 16


class Newcomer:
    """A registration that is known to have begun before its body is sent."""

    def __init__(self, server: Server, instance: str) -> None:
        self.instance = instance
        self._socket = socket.create_connection(("127.0.0.1", server.port), timeout=HANGING_SECONDS)
        headers = {**server.headers, "Host": "localhost", "Content-Length": len(WHOLE), "Expect": "100-continue"}
        lines = [f"PUT {address(instance)} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
        self._socket.sendall("\r\n".join([*lines, "", ""]).encode())
        # Said when the body is waited for: all that comes before it is done.
        assert self._socket.recv(1000).startswith(b"HTTP/1.1 100 ")

    def send(self, body: bytes = WHOLE) -> None:
        self._socket.sendall(body)

    def go(self, *, abruptly: bool) -> None:
        if abruptly:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._socket.close()

    def status(self) -> int:
        """Raises TimeoutError when it is left hanging."""
        with self._socket:
            try:
                answer = self._socket.recv(1000)
            except ConnectionError:
                return CLOSED
        return int(answer.split()[1]) if answer else CLOSED


def test_who_goes_away_amid_a_group_hinders_nobody_of_it(server: Server) -> None:
    with server.locked():
        whole, partial, stayed = (
            [Newcomer(server, f"{name}-{number}") for number in range(4)] for name in ("whole", "partial", "stayed")
        )
        for newcomer in [*whole, *stayed]:
            newcomer.send()
        for newcomer in partial:
            newcomer.send(WHOLE[:-5])
        for newcomers in (whole, partial):
            for number, newcomer in enumerate(newcomers):
                newcomer.go(abruptly=number % 2 == 1)

    assert [newcomer.status() for newcomer in stayed] == [201] * 4
    # Handed in is stored, though nobody is left to be answered.
    until(lambda: {"whole-0", "whole-2"} <= server.journalled().keys(), seconds=HANGING_SECONDS)
    assert server.journalled().keys().isdisjoint(newcomer.instance for newcomer in partial)
    assert_harmless(server, [newcomer.instance for newcomer in whole + partial])


def test_a_stop_while_many_register_loses_nothing_that_was_answered(server: Server) -> None:
    statuses: dict[str, int] = {}

    def register_on(client: int) -> None:
        with server.client() as connection:
            for number in count():
                name = f"load-{client}-{number}"
                statuses[name] = register(connection, name)
                if statuses[name] != 201:
                    return

    with ThreadPoolExecutor(CLIENTS) as clients:
        running = [clients.submit(register_on, client) for client in range(CLIENTS)]
        until(lambda: len(statuses) > 10 * CLIENTS, seconds=HANGING_SECONDS)
        server.stop()
        for each in running:
            each.result()
    server.await_end()

    assert set(statuses.values()) <= {201, 503, CLOSED}
    assert_kept(server, statuses)


@pytest.mark.parametrize("is_released", [True, False], ids=["released", "held"])
def test_a_stop_amid_a_group_leaves_nobody_of_it_hanging(server: Server, is_released: bool) -> None:
    with ExitStack() as lock:
        lock.enter_context(server.locked())
        newcomers = [Newcomer(server, f"amid-{is_released}-{number}".lower()) for number in range(CLIENTS)]
        for newcomer in newcomers:
            newcomer.send()
        server.stop()
        until(lambda: not server.is_listening(), seconds=HANGING_SECONDS)
        if is_released:
            lock.close()
        statuses = {newcomer.instance: newcomer.status() for newcomer in newcomers}
        server.await_end()

    # On a busy machine the time of grace may be over before the lock is free.
    assert set(statuses.values()) <= ({201, 503, CLOSED} if is_released else {503, CLOSED})
    assert_kept(server, statuses)


def assert_kept(server: Server, statuses: dict[str, int]) -> None:
    """Every registration that was answered is stored, and all others may register when the registry is back."""
    assert {name for name, status in statuses.items() if status == 201} <= server.journalled().keys()
    server.start()
    assert_harmless(server, list(statuses))


def assert_harmless(server: Server, instances: list[str]) -> None:
    """Stored before or not, the same registration is accepted again, and has happened once."""
    with server.client() as client:
        assert {register(client, name) for name in instances} <= {200, 201}
    times = server.journalled()
    assert {times[name] for name in instances} == {1}
