"""The fake registry on a port of its own, for services that are processes of their own; and what these are asked."""

import json
import os
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import groupby
from pathlib import Path
from typing import Any

import httpx2
import pytest

from registry.client import sign
from registry.client.receiver import PROVIDERS_CHANGED
from tests.clients.registry.fake import TOKEN, FakeRegistry
from tests.waiting import PATIENCE_SECONDS

ROOT = Path(__file__).parents[3]
BIN = Path(sys.executable).parent


@pytest.fixture
def served() -> Iterator[FakeRegistry]:
    """Serve the fake registry, which is a provider of grading as well."""
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

        do_GET = do_PUT = do_POST = do_DELETE = answer  # noqa: N815 -- the names that http.server looks for

        def log_message(self, *args: Any) -> None:
            """Log nothing."""

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


def serves(port: int) -> bool:
    try:
        return httpx2.get(f"http://127.0.0.1:{port}/healthz").is_success
    except httpx2.TransportError:
        return False


def known(port: int) -> list[str]:
    found: list[str] = httpx2.get(f"http://127.0.0.1:{port}/").json()["grading"]
    return found


def tell(registry: FakeRegistry, key: tuple[str, str]) -> int:
    """Tell of a second instance of grading, as the registry would."""
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
    answer = httpx2.post(dependent["notify_url"], content=body, headers=headers, timeout=PATIENCE_SECONDS)
    return answer.status_code


def changes(registry: FakeRegistry, service: str) -> list[str]:
    """The calls that changed the service's instance, which must all be of one run.

    A call that is the same as the one before changes nothing: a worker took the place of one that ended sooner.
    """
    address = f"/v1/services/{service}/instances/{service}-1"
    bodies = [
        request.content for request in registry.requests if request.method == "PUT" and request.url.path == address
    ]
    assert len({json.loads(body)["incarnation"] for body in bodies}) == 1
    return [call for call, _ in groupby(call for call in registry.calls() if address in call)]
