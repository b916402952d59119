"""This registry, with its worker as users run it, as bench_peers measures it."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager

from bench import peer, stack
from bench.bench_notifications import SECRET, Receiver
from bench.peer import Change, Check, HealthChecker, Request, State
from bench.sockets import Answer
from bench.stack import Stack

URL = "http://127.0.0.1:9000"


class Rollcall(HealthChecker):
    name = "Rollcall"

    def __init__(self, registry: Stack) -> None:
        self._registry = registry
        self.url = registry.url
        self.token = registry.token
        self.mark = registry.environment["ROLLCALL_DATA_DIR"]
        self._changes: list[Change] = []
        self._receiver = Receiver()

    def register(self, service: str, instance: str, *, version: int = 1) -> Request:
        body = {"url": URL, "requires": ["logsvc"], "heartbeat": stack.TTL, "weight": version}
        return Request(method="PUT", path=f"/v1/services/{service}/instances/{instance}", body=body)

    def deregister(self, service: str, instance: str) -> Request:
        return Request(method="DELETE", path=f"/v1/services/{service}/instances/{instance}")

    def read(self, service: str) -> Request:
        return Request(method="GET", path=f"/v1/services/{service}/instances")

    def read_consistently(self, service: str) -> Request | None:
        return Request(method="GET", path=f"/v1/services/{service}/instances?consistent=true")

    def poll(self, service: str, *, after: str = "") -> Request:
        query = f"?after={after}&wait=30s" if after else ""
        return Request(method="GET", path=f"/v1/services/{service}/instances{query}")

    def state(self, answer: Answer) -> State:
        listed = answer.json()
        status = listed["instances"][0]["status"]
        return State(is_passing=status == "passing", is_critical=status == "critical", index=str(listed["revision"]))

    def check(self, check: Check) -> Request | None:
        url = f"http://127.0.0.1:{check.port}"
        declared = {"kind": check.kind, "url": url} if check.kind else {}
        heartbeat = {**declared, "interval_seconds": check.interval_seconds}
        path = f"/v1/services/{check.service}/instances/{check.instance}"
        return Request(method="PUT", path=path, body={"url": url, "heartbeat": heartbeat})

    def polled(self, count: int) -> list[float]:
        """Keep a dependent registered meanwhile, which is told of the same changes by webhook."""
        provider = "/v1/services/provider/instances/provider-1"
        told = {
            "url": URL,
            "heartbeat": stack.TTL,
            "notify_url": f"http://127.0.0.1:{self._receiver.port}/",
            "notify_secret": SECRET,
            "requires": ["provider"],
        }
        with self._registry.client() as client:
            client.put(provider, json={"url": URL, "heartbeat": stack.TTL}).raise_for_status()
            client.put(f"{provider}/heartbeat").raise_for_status()
            client.put("/v1/services/dependent/instances/dependent-1", json=told).raise_for_status()
        time.sleep(1)
        self._receiver.told.clear()
        self._changes = asyncio.run(peer.changes(self, count))
        return [(each.heard - each.sent) * 1000 for each in self._changes]

    def pushed(self, count: int) -> list[float]:
        """Milliseconds until the webhooks of the changes that were polled last."""
        return [
            (self._receiver.times(each.answer.json()["revision"], 1)[0] - each.sent) * 1000 for each in self._changes
        ]


@contextmanager
def server() -> Iterator[HealthChecker]:
    with stack.registry() as registry:
        yield Rollcall(registry)
