"""The servers that services run on, as they come: nginx too, where it is installed."""

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event
from time import perf_counter

import pytest

from registry.outbound.address_policy import AddressPolicy
from registry.outbound.client import Client, Error, Origin, Request
from tests.ports import free_port
from tests.waiting import PATIENCE_SECONDS

pytestmark = [pytest.mark.anyio, pytest.mark.system]

BIN = Path(sys.executable).parent
APPLICATION = """
async def asgi(scope, receive, send):
    if scope["type"] == "http":
        length = 0
        while True:
            message = await receive()
            length += len(message.get("body", b""))
            if not message.get("more_body"):
                break
        answer = b"ok %d" % length
        await send({"type": "http.response.start", "status": 200,
                    "headers": [(b"content-length", b"%d" % len(answer))]})
        await send({"type": "http.response.body", "body": answer})

def wsgi(environ, start_response):
    answer = b"ok %d" % len(environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)))
    start_response("200 OK", [("content-length", str(len(answer)))])
    return [answer]
"""
NGINX = """
daemon off; master_process off; pid {folder}/nginx.pid; error_log stderr notice;
events {{}}
http {{
    access_log off; client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
    uwsgi_temp_path {folder}; scgi_temp_path {folder}; keepalive_timeout {keep_alive_seconds}s; client_max_body_size 9m;
    server {{ listen 127.0.0.1:{port}; location / {{ return 200 "ok 0"; }} }}
}}
"""


def granian(folder: Path, port: int, keep_alive_seconds: int) -> list[str]:
    return [str(BIN / "granian"), "--interface", "asgi", "--port", str(port), "application:asgi"]


def gunicorn(folder: Path, port: int, keep_alive_seconds: int) -> list[str]:
    options = ["--worker-class", "gthread", "--keep-alive", str(keep_alive_seconds), "--no-control-socket"]
    return [str(BIN / "gunicorn"), *options, "--bind", f"127.0.0.1:{port}", "application:wsgi"]


def uvicorn(folder: Path, port: int, keep_alive_seconds: int) -> list[str]:
    options = ["--timeout-keep-alive", str(keep_alive_seconds), "--port", str(port)]
    return [str(BIN / "uvicorn"), *options, "application:asgi"]


def nginx(folder: Path, port: int, keep_alive_seconds: int) -> list[str]:
    program = shutil.which("nginx")
    if program is None:
        pytest.skip("nginx is not installed")
    configuration = folder / "nginx.conf"
    configuration.write_text(NGINX.format(folder=folder, port=port, keep_alive_seconds=keep_alive_seconds))
    return [program, "-p", str(folder), "-c", str(configuration)]


# A folder for it, its port, and for how many seconds it keeps idle connections, where it can be told.
Command = Callable[[Path, int, int], list[str]]
ALL = pytest.mark.parametrize("command", [granian, gunicorn, uvicorn, nginx])
TIRING = pytest.mark.parametrize("command", [gunicorn, uvicorn, nginx])


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, bool]]:
    return "asyncio", {"use_uvloop": True}


@contextmanager
def running(
    command: Command, folder: Path, *, keep_alive_seconds: int = 600
) -> Iterator[tuple[str, Callable[[], None]]]:
    """The address of a server, and what kills it and all of its workers."""
    port = free_port()
    (folder / "application.py").write_text(APPLICATION)
    process = subprocess.Popen(
        command(folder, port, keep_alive_seconds),
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        env={**os.environ, "HOME": str(folder), "PYTHONWARNINGS": ""},
    )

    def kill() -> None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)

    try:
        wait_until_open(process, port)
        yield f"http://127.0.0.1:{port}/", kill
    finally:
        kill()
        process.communicate()


def wait_until_open(process: "subprocess.Popen[str]", port: int) -> None:
    """Try until the port is open, for not every server says so."""
    deadline, pause = perf_counter() + 2 * PATIENCE_SECONDS, Event()
    while perf_counter() < deadline and process.poll() is None:
        with suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        pause.wait(0.02)
    process.kill()
    pytest.fail(process.communicate()[0])


@ALL
async def test_a_server_is_asked_many_times_over_one_connection(
    client: Client, command: Command, tmp_path: Path
) -> None:
    with running(command, tmp_path) as (url, _):
        outcomes = [await client.send(Request(url=url)) for _ in range(5)]
        assert [(outcome.status, outcome.body) for outcome in outcomes] == [(200, b"ok 0")] * 5
        assert [outcome.reused for outcome in outcomes] == [False, True, True, True, True]
        head = await client.send(Request(method="HEAD", url=url))
        assert (head.status, head.body) == (200, b"")
        fresh = await client.send(Request(url=url, keep_alive=False))
        assert fresh.status == 200


@ALL
async def test_a_server_takes_a_large_body_and_many_at_once(client: Client, command: Command, tmp_path: Path) -> None:
    with running(command, tmp_path) as (url, _):
        post = Request(method="POST", url=url, body=b"x" * 2_000_000)
        assert (await client.send(post)).status == 200
        outcomes = await asyncio.gather(*(client.send(Request(url=url)) for _ in range(50)))
        assert {outcome.status for outcome in outcomes} == {200}


@TIRING
async def test_a_server_that_closes_idle_connections_is_told_of_and_answers_again(
    policy: AddressPolicy, command: Command, tmp_path: Path
) -> None:
    told: asyncio.Queue[float] = asyncio.Queue()
    client = Client(policy, on_peer_closed=lambda origin, idle_seconds: told.put_nowait(idle_seconds))
    with running(command, tmp_path, keep_alive_seconds=1) as (url, _):
        assert (await client.send(Request(url=url))).status == 200
        assert 0.5 < await asyncio.wait_for(told.get(), PATIENCE_SECONDS) < PATIENCE_SECONDS
        again = await client.send(Request(url=url))
        assert (again.status, again.reused) == (200, False)
    await client.close()


@ALL
async def test_a_killed_server_is_known_to_be_dead_at_once(
    policy: AddressPolicy, command: Command, tmp_path: Path
) -> None:
    told: asyncio.Queue[Origin] = asyncio.Queue()
    client = Client(policy, on_peer_closed=lambda origin, idle_seconds: told.put_nowait(origin))
    with running(command, tmp_path) as (url, kill):
        assert (await client.send(Request(url=url))).status == 200
        kill()
        # Long before it would have been tired of the connection.
        assert await asyncio.wait_for(told.get(), PATIENCE_SECONDS) == Request(url=url).target.origin
        # A dying process closes its connections first and then its port: who comes between is let in and reset, or
        # reset as it comes in.
        async with asyncio.timeout(PATIENCE_SECONDS):
            outcome = await client.send(Request(url=url))
            while outcome.error in (Error.RESET, Error.CLOSED_EARLY, Error.CONNECT_FAILED):
                outcome = await client.send(Request(url=url))
    await client.close()
    assert outcome.error is Error.CONNECTION_REFUSED
