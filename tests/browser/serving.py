"""The web UI under its real server, in a process of its own, with the other services faked at HTTP."""

import json
import os
import signal
import subprocess
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import httpx2

from config import env
from tests import forked
from tests.browser.live_grading import served_grading
from tests.ports import free_port
from tests.waiting import PATIENCE_SECONDS, until
from tests.webui.faked.call import Call
from tests.webui.faked.world import World

MANAGE = env.BASE_DIR / "manage.py"
UPSTREAMS = ("registry", "logsvc", "grading")
PASSWORD = "only-for-tests"
START_SECONDS = 4 * PATIENCE_SECONDS


@dataclass(frozen=True, kw_only=True)
class ServedWebui:
    """Its address, the session of each of its accounts, and the other services' admins: each address with a session."""

    url: str
    sessions: dict[str, str]
    admins: dict[str, tuple[str, str]]


@contextmanager
def served_webui(world: World, data_dir: Path) -> Iterator[ServedWebui]:
    """The web UI, once it answers."""
    with ExitStack() as stack:
        urls = {service: stack.enter_context(_served(world, service)) for service in UPSTREAMS}
        world.registry.urls.update(urls)
        environment = _environment(data_dir, registry_url=urls["registry"])
        with ThreadPoolExecutor() as threads:
            services = ("webui", "grading", "logsvc")
            sessions, grading, logsvc = threads.map(lambda service: prepared(service, environment), services)
        world.grading = stack.enter_context(served_grading(environment, token=grading["token"]))
        world.begin_anew()
        logsvc_url = stack.enter_context(running("logsvc", environment))
        admins = {
            "grading": (world.grading.url, grading["registrar"]),
            "logsvc": (logsvc_url, logsvc["operator"]),
        }
        yield ServedWebui(url=stack.enter_context(running("webui", environment)), sessions=sessions, admins=admins)


def _environment(data_dir: Path, *, registry_url: str) -> dict[str, str]:
    passwords = {f"DEMO_{name}_PASSWORD": PASSWORD for name in ("TEACHER", "ASSISTANT", "STUDENT", "OPERATOR")}
    ports = {service: str(free_port()) for service in ("webui", "logsvc")}
    return {
        **os.environ,
        **passwords,
        "ROLLCALL_DATA_DIR": str(data_dir),
        "REGISTRY_URL": registry_url,
        # A busy machine may take its time.
        "WEBUI_UPSTREAM_SECONDS": "30",
        **{f"{service.upper()}_PORT": port for service, port in ports.items()},
        **{f"{service.upper()}_URL": f"http://127.0.0.1:{port}" for service, port in ports.items()},
    }


def prepared(service: str, environment: Mapping[str, str], *, by: str = "tests.browser.prepare") -> dict[str, str]:
    """Have a module make the service's database; returns what it says of it, as JSON in its last line."""
    done = forked.run(["-m", by, service], env=environment, timeout=START_SECONDS)
    assert done.returncode == 0, done.stderr
    found: dict[str, str] = json.loads(done.stdout.splitlines()[-1])
    return found


@contextmanager
def running(service: str, environment: Mapping[str, str]) -> Iterator[str]:
    """Serve the service until the end; yields its address."""
    url = f"http://127.0.0.1:{environment[f'{service.upper()}_PORT']}"
    process = forked.Program([str(MANAGE), service, "serve"], env=environment)
    try:
        _wait_for(url, process)
        yield url
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_for(url: str, process: forked.Program) -> None:
    def has_started_or_ended() -> bool:
        return process.poll() is not None or httpx2.get(f"{url}/healthz", trust_env=False).is_success

    until(has_started_or_ended, seconds=START_SECONDS)
    assert process.poll() is None, "It did not start; its output above says why."


@contextmanager
def _served(world: World, service: str) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(world, service))
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def _handler(world: World, service: str) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Head and body leave together: otherwise each answer waits for a delayed acknowledgement.
        wbufsize = -1
        disable_nagle_algorithm = True

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            if service in world.down:
                self.close_connection = True
                return
            try:
                status, content = world.answer(_call(service, self, body))
            except httpx2.TransportError:
                self.close_connection = True
                return
            self._send(status, content)

        do_GET = do_PUT = do_POST = do_PATCH = do_DELETE = answer  # noqa: N815 -- the names http.server looks for

        def _send(self, status: int, body: object) -> None:
            content = b"" if body is None else json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)
            self.wfile.flush()

        def log_request(self, code: object = "-", size: object = "-") -> None:
            return

    return Handler


def _call(service: str, request: BaseHTTPRequestHandler, body: bytes) -> Call:
    parts = urlsplit(request.path)
    is_json = request.headers.get("Content-Type", "") == "application/json"
    return Call(
        service=service,
        method=request.command,
        path=parts.path,
        query=dict(parse_qsl(parts.query)),
        headers={name.lower(): value for name, value in request.headers.items()},
        body=json.loads(body) if body and is_json else None,
        content=body,
    )
