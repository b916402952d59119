"""The files in docs/examples run as they stand: they register, are told, and deregister."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx2
import pytest

from registry.client import sign
from registry.client.receiver import PROVIDERS_CHANGED
from tests.clients.registry.fake import TOKEN, FakeRegistry
from tests.clients.registry.test_membership import until

pytestmark = pytest.mark.system
ROOT = Path(__file__).parents[3]
EXAMPLES = ROOT / "docs" / "examples"
BIN = Path(sys.executable).parent


@pytest.fixture
def registry() -> Iterator[FakeRegistry]:
    """On a port of its own, for the examples are processes of their own; it is a provider of grading as well."""
    fake = FakeRegistry()

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            request = httpx2.Request(self.command, f"{fake_url}{self.path}", headers=dict(self.headers), content=body)
            answer = httpx2.Response(200, text="ok") if self.path == "/healthz" else fake.answer(request)
            self.send_response(answer.status_code)
            for name, value in {**answer.headers, "Content-Length": str(len(answer.content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer.content)

        do_GET = do_PUT = do_DELETE = answer  # noqa: N815 -- the names that http.server looks for

        def log_message(self, *args: Any) -> None:
            """Silent."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        fake_url = f"http://127.0.0.1:{server.server_port}"
        fake.offer("grading", "grading-1", url=fake_url)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield fake
        server.shutdown()


def environment(registry: FakeRegistry, port: int, state_dir: Path) -> dict[str, str]:
    return {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "REGISTRY_URL": registry.instances["grading", "grading-1"]["url"],
        "REGISTRY_TOKEN": TOKEN,
        "SECRET_KEY": "only-for-tests",
        "PORT": str(port),
        "STATE_DIR": str(state_dir),
    }


def free_port() -> int:
    with ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
        return int(server.server_port)


def test_the_plain_script_calls_a_provider_and_leaves(registry: FakeRegistry, tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-W", "error", EXAMPLES / "script.py"],
        env=environment(registry, 0, tmp_path),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (ended.returncode, ended.stdout) == (0, "grading says: ok\n"), ended.stderr
    assert "PUT /v1/services/report/instances/report-1" in registry.calls()
    assert registry.registered() == {"grading/grading-1"}


@pytest.mark.parametrize(
    ("service", "command"),
    [
        ("timetable", ["uvicorn", "fastapi_app:app", "--port", "{port}"]),
        ("canteen", ["gunicorn", "flask_app:app", "--workers", "2", "--bind", "127.0.0.1:{port}"]),
        ("library", ["gunicorn", "django_app:application", "--workers", "2", "--bind", "127.0.0.1:{port}"]),
    ],
)
def test_a_service_registers_is_told_and_deregisters(
    registry: FakeRegistry, tmp_path: Path, service: str, command: list[str]
) -> None:
    port, key = free_port(), (service, f"{service}-1")
    program = [str(BIN / command[0]), *(word.format(port=port) for word in command[1:])]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            program, cwd=EXAMPLES, env=environment(registry, port, tmp_path), stdout=log, stderr=log
        )
    try:
        until(lambda: key in registry.instances and serves(port), seconds=30)
        until(lambda: known(port) == [registry.instances["grading", "grading-1"]["url"]])
        assert tell(registry, key) == 204
        # Every worker knows, though one was told.
        for _ in range(5):
            until(lambda: len(known(port)) == 2)
    finally:
        process.terminate()
        process.wait(30)
    until(lambda: key not in registry.instances)
    assert len([call for call in registry.calls() if call.endswith(f"instances/{service}-1")]) == 2
    assert "Traceback" not in (tmp_path / "log").read_text()


def serves(port: int) -> bool:
    try:
        return httpx2.get(f"http://127.0.0.1:{port}/healthz").is_success
    except httpx2.TransportError:
        return False


def known(port: int) -> list[str]:
    found: list[str] = httpx2.get(f"http://127.0.0.1:{port}/").json()["grading"]
    return found


def tell(registry: FakeRegistry, key: tuple[str, str]) -> int:
    """As the registry would, of a second instance of grading."""
    dependent, now = registry.instances[key], datetime.now(UTC)
    since = registry.revision
    registry.offer("grading", "grading-2")
    data = {
        "subscriber": {"service": key[0], "instance": key[1]},
        "from_revision": since,
        "to_revision": registry.revision,
        "added": [{"service": "grading", "instance": "grading-2", "url": "http://grading-2.test"}],
    }
    body = json.dumps({"type": PROVIDERS_CHANGED, "timestamp": now.isoformat(), "data": data}).encode()
    stamp = int(now.timestamp())
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(stamp),
        "webhook-signature": sign(secret=dependent["notify_secret"], message_id="msg_1", timestamp=stamp, body=body),
    }
    return httpx2.post(dependent["notify_url"], content=body, headers=headers).status_code
