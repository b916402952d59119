"""The server's side of WebSockets, asked with raw bytes and by a client of the field."""

import socket
from collections.abc import Iterator

import pytest
from websockets.exceptions import ConnectionClosedError
from websockets.sync.client import connect

from config.http.websocket import CLOSING_SECONDS
from tests.config.http.served import LONG, Served, read_all, served
from tests.waiting import until

HANDSHAKE = (
    b"Host: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)
TEXT, CLOSE, PING = 0x81, 0x88, 0x89


@pytest.fixture(scope="module")
def server() -> Iterator[Served]:
    with served(websockets=True) as running:
        yield running


def handshake(line: bytes = b"GET / HTTP/1.1", *, more: bytes = b"") -> bytes:
    return line + b"\r\n" + HANDSHAKE + more + b"\r\n"


def frame(kind: int, data: bytes) -> bytes:
    assert len(data) < 126
    return bytes([kind, 0x80 | len(data)]) + b"\0\0\0\0" + data


def test_a_client_of_the_field_converses(server: Served) -> None:
    with connect(f"ws://127.0.0.1:{server.port}/") as client:
        for text in ("one", "zwölf", "a" * 10_000):
            client.send(text)
            assert client.recv() == text


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        (handshake(more=b"X: " + b"a" * 9000 + b"\r\n"), b"431"),
        (handshake(b"GET /" + b"a" * 9000 + b" HTTP/1.1"), b"414"),
        (handshake().replace(b"Version: 13", b"Version: 12"), b"400"),
        (handshake().replace(b"dGhl", b"\xff"), b"400"),
    ],
)
def test_a_handshake_that_fails_is_answered_and_closed(server: Served, asked: bytes, status: bytes) -> None:
    assert server.ask(asked).split(b" ", 2)[1] == status


@pytest.mark.parametrize(
    "asked",
    [
        handshake(b"POST /other HTTP/1.1", more=b"Content-Length: 3\r\n") + b"abc",
        handshake(b"GET /other HTTP/1.1", more=b"Content-Length: 3\r\n") + b"abc",
        handshake(b"GET /other HTTP/1.0"),
    ],
)
def test_only_a_plain_get_becomes_one(server: Served, asked: bytes) -> None:
    assert server.ask(asked, ends=True).startswith(b"HTTP/1.1 401")


def test_text_that_is_no_utf_8_ends_it_and_is_not_logged(server: Served, caplog: pytest.LogCaptureFixture) -> None:
    with connect(f"ws://127.0.0.1:{server.port}/") as client:
        client.send(b"\xff", text=True)
        with pytest.raises(ConnectionClosedError, match="1007"):
            client.recv()
    assert not caplog.records


@pytest.mark.parametrize("end", [frame(CLOSE, b"\x03\xe8"), frame(CLOSE, b"x"), frame(0x83, b"x")])
def test_what_is_sent_after_the_end_is_dropped(server: Served, end: bytes, caplog: pytest.LogCaptureFixture) -> None:
    # Of its own: the application may not have heard yet that the connections of earlier tests have ended.
    path = f"/{end.hex()}"
    with server.connect() as connection:
        connection.sendall(handshake(f"GET {path} HTTP/1.1".encode()))
        assert connection.recv(1000).startswith(b"HTTP/1.1 101")
        connection.sendall(end)
        until(lambda: path in server.application.gone)
        assert b"late" not in read_all(connection)
    assert not caplog.records


def test_who_pings_and_reads_nothing_is_cut_off(server: Served) -> None:
    with small_window(server) as connection:
        connection.sendall(handshake())
        with pytest.raises(OSError, match=r"reset|Broken pipe"):
            send_again(connection, frame(PING, b"a" * 125) * 500, times=1000)


def test_who_does_not_read_the_end_is_cut_off(server: Served) -> None:
    with small_window(server) as connection:
        connection.sendall(handshake())
        assert connection.recv(1000).startswith(b"HTTP/1.1 101")
        connection.sendall(frame(TEXT, b"end"))
        until(lambda: server.unsent_bytes > len(LONG))
        server.age(CLOSING_SECONDS / 2)
        assert server.unsent_bytes
        server.age(CLOSING_SECONDS * 2)
        until(lambda: not server.unsent_bytes)


def send_again(connection: socket.socket, data: bytes, *, times: int) -> None:
    for _ in range(times):
        connection.sendall(data)


def small_window(server: Served) -> socket.socket:
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.settimeout(20)
    connection.connect(("127.0.0.1", server.port))
    return connection
