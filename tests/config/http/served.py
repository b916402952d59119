"""An application behind the real server, in a thread of its own, and clients of raw bytes."""

import asyncio
import json
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvloop

from config.http.protocol import StrictProtocol
from config.http.recognition import State
from config.http.server import Server, listen
from config.http.websocket import StrictWebSocket
from config.hybrid import respond
from config.problems import RawResponse, Unavailable

SECONDS = 20.0
LONG = b"0123456789" * 400_000
APART = RawResponse(status=200, headers=(), body=b"begun", rest=LONG)


class Application:
    """Answers by the path of the request; `gone` has the paths of the clients that it was told have gone."""

    def __init__(self) -> None:
        self.gone: list[str] = []
        self.asked: list[str] = []
        # What is to be answered without the application once it is there.
        self.awaited: list[str] = []
        self.stored: list[bytes] = []
        self.released = threading.Event()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "websocket":
            await _converse(receive, send)
            self.gone.append(scope["path"])
            return
        path = scope["path"]
        self.asked.append(path)
        match path:
            case "/echo":
                await self._echo(scope, receive, send)
            case "/hang":
                message = await receive()
                while message["type"] != "http.disconnect":
                    message = await receive()
                self.gone.append(path)
                await _answer(send, b"late")
            case "/stream":
                await send({"type": "http.response.start", "status": 200, "headers": []})
                for chunk in (b"one", b"", b"two"):
                    await send({"type": "http.response.body", "body": chunk, "more_body": True})
                await send({"type": "http.response.body", "body": b""})
            case "/endless":
                await send({"type": "http.response.start", "status": 200, "headers": []})
                while path not in self.gone:
                    await send({"type": "http.response.body", "body": LONG, "more_body": True})
            case "/breaks":
                await send({"type": "http.response.start", "status": 200, "headers": []})
                await send({"type": "http.response.body", "body": b"part", "more_body": True})
                raise RuntimeError("amid the answer")
            case "/injects":
                headers = [(b"x", b"1\r\nset-cookie: a=b")]
                await send({"type": "http.response.start", "status": 200, "headers": headers})
            case "/empty":
                await send({"type": "http.response.start", "status": 204, "headers": [(b"content-length", b"0")]})
                await send({"type": "http.response.body", "body": b""})
            case "/long":
                await _answer(send, LONG)
            case "/long-apart":
                await respond(send, APART)
            case "/now" | "/soon" | "/in-vain":
                await _answer(send, path[1:].encode())
            case "/stored":
                await self._store(receive, send)
            case "/silent":
                pass
            case _:
                await _answer(send, b"unread", status=401)

    def at_once(self, scope: Any, *, has_waited: bool = False) -> Any:
        match scope["path"]:
            case "/now":
                return _raw(b"now")
            case "/long-now":
                return _raw(LONG)
            case "/long-apart":
                return APART
            case "/soon" if not has_waited:
                return self._soon()
            case "/soon":
                return _raw(b"soon")
            case "/in-vain" if not has_waited:
                return self._soon()
            case "/fails":
                failed = asyncio.get_running_loop().create_future()
                failed.set_exception(Unavailable("The database is away."))
                return failed
            case "/held":
                self.awaited.append(scope["path"])
                return None if has_waited else asyncio.get_running_loop().run_in_executor(None, self.released.wait)
        return None

    def answer_soon(self, scope: Any, body: bytes) -> Any:
        match scope["path"]:
            case "/stored":
                self.stored.append(body)
                return self._soon(_raw(body))
            case "/kept":
                self.stored.append(body)
                return asyncio.get_running_loop().run_in_executor(None, self._keep)
            case "/refused":
                return self.refusal(scope, Unavailable("It is full."))
            case "/fails":
                failed = asyncio.get_running_loop().create_future()
                failed.set_exception(Unavailable("The database is away."))
                return failed
        return None

    def refusal(self, scope: Any, error: Exception) -> RawResponse:
        assert isinstance(error, Unavailable)
        return error.response()

    def _soon(self, result: Any = None) -> "asyncio.Future[Any]":
        loop = asyncio.get_running_loop()
        future = loop.create_future()
        loop.call_later(0.001, future.set_result, result)
        return future

    def _keep(self) -> RawResponse:
        self.released.wait()
        return _raw(b"kept")

    async def _store(self, receive: Any, send: Any) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body += message["body"]
            more = message["more_body"]
        await _answer(send, body)

    async def _echo(self, scope: Any, receive: Any, send: Any) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                self.gone.append(scope["path"])
                await _answer(send, b"incomplete", status=400)
                return
            body += message["body"]
            more = message["more_body"]
        told = {
            "method": scope["method"],
            "path": scope["path"],
            "query": scope["query_string"].decode(),
            "version": scope["http_version"],
            "headers": [[name.decode(), value.decode("latin-1")] for name, value in scope["headers"]],
            "body": body.decode("latin-1"),
            "client": scope["client"][0],
        }
        await _answer(send, json.dumps(told).encode())


async def _converse(receive: Any, send: Any) -> None:
    await receive()
    await send({"type": "websocket.accept"})
    message = await receive()
    while message["type"] != "websocket.disconnect" and message["text"] != "end":
        await send({"type": "websocket.send", "text": message["text"]})
        message = await receive()
    if message["type"] == "websocket.disconnect":
        await send({"type": "websocket.send", "text": "late"})
    else:
        # The server closes it after that.
        await send({"type": "websocket.send", "bytes": 3 * LONG})


def _raw(body: bytes) -> RawResponse:
    return RawResponse(status=200, headers=(), body=body)


async def _answer(send: Any, body: bytes, *, status: int = 200) -> None:
    headers = [(b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


class Served:
    def __init__(self, application: Application, server: Server, loop: asyncio.AbstractEventLoop, port: int) -> None:
        self.application = application
        self._server = server
        self._loop = loop
        self.port = port

    @property
    def recognized(self) -> list[bytes]:
        """The requests that are recognized by their bytes."""
        return list(self.state.recognized)

    @property
    def state(self) -> State:
        state = self._server.server_state
        assert isinstance(state, State)
        return state

    @property
    def connections(self) -> int:
        return len(self._server.server_state.connections)

    @property
    def unsent_bytes(self) -> int:
        return sum(each.transport.get_write_buffer_size() for each in list(self._server.server_state.connections))

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=SECONDS)

    def ask(self, *parts: bytes, ends: bool = False) -> bytes:
        """Everything that is answered to these bytes until the connection is closed, which `ends` asks for."""
        with self.connect() as connection:
            for part in parts:
                connection.sendall(part)
            if ends:
                connection.shutdown(socket.SHUT_WR)
            return read_all(connection)

    def age(self, seconds: float) -> None:
        """Let each connection be looked at as if it were so much later."""

        def look() -> None:
            now = self._loop.time() + seconds
            for connection in list(self._server.server_state.connections):
                assert isinstance(connection, StrictProtocol | StrictWebSocket)
                connection.end_if_overdue(now)

        asyncio.run_coroutine_threadsafe(_called(look), self._loop).result(SECONDS)

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._server.stop)


async def _called(function: Any) -> None:
    function()


@contextmanager
def served(*, websockets: bool = False, host: str = "127.0.0.1") -> Iterator[Served]:
    application = Application()
    began: list[Any] = []
    is_ready = threading.Event()

    async def serve() -> None:
        listening = listen(host, 0)
        server = Server(application, websockets=websockets)
        began.extend([server, asyncio.get_running_loop(), listening.getsockname()[1]])
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        is_ready.set()
        await serving

    thread = threading.Thread(target=lambda: uvloop.run(serve()))
    thread.start()
    assert is_ready.wait(SECONDS)
    running = Served(application, *began)
    try:
        yield running
    finally:
        application.released.set()
        running.stop()
        thread.join(SECONDS)
        assert not thread.is_alive()


def read_all(connection: socket.socket) -> bytes:
    received = b""
    while part := connection.recv(65_536):
        received += part
    return received


def read_answer(connection: socket.socket) -> bytes:
    """One answer that states its length, where no other has come behind it."""
    [answer] = read_answers(connection, 1)
    return answer


def read_answers(connection: socket.socket, count: int) -> list[bytes]:
    """So many answers that state their lengths, and nothing behind them."""
    received = b""
    answers: list[bytes] = []
    while len(answers) < count:
        head, end, rest = received.partition(b"\r\n\r\n")
        stated = re.search(rb"\r\ncontent-length: (\d+)", head)
        length = int(stated[1]) if stated else 0
        if end and len(rest) >= length:
            answers.append(head + end + rest[:length])
            received = rest[length:]
        elif part := connection.recv(65_536):
            received += part
        else:
            raise EOFError("the connection was closed amid an answer")
    assert not received
    return answers
