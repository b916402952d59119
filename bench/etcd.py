"""A real etcd as bench_peers measures it, over its JSON gateway, and how long its watchers wait for a put."""

import base64
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx2

from bench import peer, stack
from bench.peer import Peer, Request


class Etcd(Peer):
    """An instance is a key below its service's, whose value is as long as a registration."""

    name = "etcd"

    def __init__(self, url: str, mark: str) -> None:
        self.url = url
        self.mark = mark

    def register(self, service: str, instance: str, *, version: int = 1) -> Request:
        value = {
            "service": service,
            "instance": instance,
            "url": "http://127.0.0.1:9000",
            "requires": ["logsvc"],
            "heartbeat": {"kind": "ttl", "interval_seconds": 3600},
            "weight": version,
        }
        body = {"key": _encoded(f"/{service}/{instance}"), "value": _encoded(json.dumps(value))}
        return Request(method="POST", path="/v3/kv/put", body=body)

    def deregister(self, service: str, instance: str) -> Request:
        return Request(method="POST", path="/v3/kv/deleterange", body={"key": _encoded(f"/{service}/{instance}")})

    def read(self, service: str) -> Request:
        return Request(method="POST", path="/v3/kv/range", body={**_below(service), "serializable": True})

    def read_consistently(self, service: str) -> Request | None:
        return Request(method="POST", path="/v3/kv/range", body=_below(service))

    def polled(self, count: int) -> list[float]:
        """Milliseconds until its watcher has the event, by a stream that stays open."""
        return watch(self.url, count)


def put_to_watch(changes: int) -> list[float]:
    """Milliseconds from sending each put to the watcher's event: it commits to the disk on the way."""
    with server() as etcd:
        return watch(etcd.url, changes)


def watch(url: str, changes: int) -> list[float]:
    with httpx2.Client(base_url=url, timeout=30) as client:
        seen: dict[str, float] = {}
        heard = threading.Condition()
        watching = threading.Event()
        key = _encoded(f"/provider/{time.time_ns()}")
        threading.Thread(target=_watch, args=(url, key, seen, heard, watching), daemon=True).start()
        watching.wait(10)
        return [_put(client, key, f"change-{number}", seen, heard) for number in range(changes)]


def _put(client: httpx2.Client, key: str, value: str, seen: dict[str, float], heard: threading.Condition) -> float:
    encoded = _encoded(value)
    started = time.perf_counter()
    client.post("/v3/kv/put", json={"key": key, "value": encoded}).raise_for_status()
    with heard:
        if not heard.wait_for(lambda: encoded in seen, 10):
            raise TimeoutError(f"the watcher did not hear of {value}")
    time.sleep(peer.PAUSE_SECONDS)
    return (seen[encoded] - started) * 1000


def _watch(url: str, key: str, seen: dict[str, float], heard: threading.Condition, watching: threading.Event) -> None:
    body = {"create_request": {"key": key}}
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


def _below(service: str) -> dict[str, str]:
    """All keys below a service's: "0" is the next character after "/"."""
    return {"key": _encoded(f"/{service}/"), "range_end": _encoded(f"/{service}0")}


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@contextmanager
def server() -> Iterator[Peer]:
    url, peers = (f"http://127.0.0.1:{stack.free_port()}" for _ in range(2))
    clients = ["--listen-client-urls", url, "--advertise-client-urls", url]
    cluster = ["--listen-peer-urls", peers, "--initial-advertise-peer-urls", peers]
    cluster += ["--initial-cluster", f"default={peers}"]
    with peer.running(
        lambda directory: ["etcd", "--data-dir", directory, *clients, *cluster],
        url=f"{url}/health",
        is_ready=lambda answer: answer.is_success and answer.json()["health"] == "true",
    ) as mark:
        yield Etcd(url, mark)
