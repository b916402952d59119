"""A real etcd beside which notifications are measured: from a put to its watcher, over its JSON gateway."""

import base64
import json
import os
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx2

from bench import stack

KEY = base64.b64encode(b"provider").decode()


def put_to_watch(changes: int) -> list[float]:
    """Milliseconds from sending each put to the watcher's event: it commits to the disk on the way."""
    with server() as url, httpx2.Client(base_url=url, timeout=30) as client:
        seen: dict[str, float] = {}
        heard = threading.Condition()
        watching = threading.Event()
        threading.Thread(target=_watch, args=(url, seen, heard, watching), daemon=True).start()
        watching.wait(10)
        return [_put(client, f"change-{number}", seen, heard) for number in range(changes)]


def _put(client: httpx2.Client, value: str, seen: dict[str, float], heard: threading.Condition) -> float:
    encoded = base64.b64encode(value.encode()).decode()
    started = time.perf_counter()
    client.post("/v3/kv/put", json={"key": KEY, "value": encoded}).raise_for_status()
    with heard:
        if not heard.wait_for(lambda: encoded in seen, 10):
            raise TimeoutError(f"the watcher did not hear of {value}")
    time.sleep(0.02)
    return (seen[encoded] - started) * 1000


def _watch(url: str, seen: dict[str, float], heard: threading.Condition, watching: threading.Event) -> None:
    body = {"create_request": {"key": KEY}}
    with httpx2.Client(base_url=url, timeout=None) as client, client.stream("POST", "/v3/watch", json=body) as lines:
        for line in lines.iter_lines():
            at, said = time.perf_counter(), json.loads(line)
            if "result" not in said:
                # The server is being stopped.
                return
            watching.set()
            with heard:
                for event in said["result"].get("events", ()):
                    seen[event["kv"]["value"]] = at
                heard.notify_all()


@contextmanager
def server() -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="rollcall-etcd-") as directory:
        url, peer = (f"http://127.0.0.1:{stack.free_port()}" for _ in range(2))
        options = ["--data-dir", directory, "--listen-client-urls", url, "--advertise-client-urls", url]
        peers = ["--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer]
        cluster = ["--initial-cluster", f"default={peer}"]
        with stack.running(["etcd", *options, *peers, *cluster], dict(os.environ)):
            _await(url)
            yield url


def _await(url: str) -> None:
    until = time.monotonic() + 30
    while time.monotonic() < until:
        try:
            if httpx2.get(f"{url}/health").json()["health"] == "true":
                return
        except httpx2.TransportError:
            time.sleep(0.05)
    raise TimeoutError("etcd does not answer")
