"""Time from commit to webhook received: one dependent as the fleet grows, then a thousand dependents of one change.

A `ttl` provider changes its weight by PUT; the clock starts when the registry has answered and so committed, and stops
when the last dependent has been told. Signed, through Celery, `synchronous=FULL`. Where etcd is installed, how long its
watchers wait for a put is measured beside it, in the same run.
"""

import asyncio
import json
import shutil
import threading
import time
from dataclasses import dataclass
from typing import Any

import httptools

from bench import etcd, stack

CHANGES = 200
FLEETS = (100, 1_000, 10_000, 30_000)
DEPENDENTS = 1000
FLEET_CHANGES = 10
SECRET = "whsec_" + "A" * 32
PROVIDER = "/v1/services/provider/instances/provider-1"


class Receiver:
    """Answers each POST with 204, and keeps when the webhook up to each revision came."""

    def __init__(self) -> None:
        self.told: list[tuple[int, float]] = []
        self._changed = threading.Condition()
        self._ready = threading.Event()
        threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True).start()
        self._ready.wait()

    def take(self, body: bytes) -> None:
        at = time.perf_counter()
        with self._changed:
            self.told.append((json.loads(body)["data"]["to_revision"], at))
            self._changed.notify_all()

    def times(self, revision: int, count: int) -> list[float]:
        """The times of the first `count` webhooks that reach `revision`."""

        def reached() -> list[float]:
            return [at for to_revision, at in self.told if to_revision >= revision]

        with self._changed:
            if not self._changed.wait_for(lambda: len(reached()) >= count, 30):
                raise TimeoutError(f"{len(reached())} of {count} were told of revision {revision}")
            return reached()

    async def _serve(self) -> None:
        server = await asyncio.get_running_loop().create_server(lambda: _Protocol(self), "127.0.0.1", 0, backlog=2048)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await server.serve_forever()


class _Protocol(asyncio.Protocol):
    def __init__(self, receiver: Receiver) -> None:
        self._receiver = receiver
        self._parser = httptools.HttpRequestParser(self)

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_message_begin(self) -> None:
        self._body = b""

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        self._receiver.take(self._body)
        self._transport.write(b"HTTP/1.1 204 No Content\r\n\r\n")


def main() -> None:
    receiver = Receiver()
    with stack.registry() as registry, registry.client() as client:
        _register(client, receiver, count=1)
        for fleet in FLEETS:
            stack.grow(registry, fleet)
            time.sleep(2)
            grown = [_change(client, receiver, number, count=1).from_commit[0] for number in range(CHANGES)]
            _report(f"one dependent, {fleet:,} instances", grown)
        both = [_change(client, receiver, number, count=1) for number in range(CHANGES)]
        one = [each.from_commit[0] for each in both]
        _report("one dependent", one)
        _register(client, receiver, count=DEPENDENTS)
        changes = [_change(client, receiver, number, count=DEPENDENTS) for number in range(FLEET_CHANGES)]
        many = [each for change in changes for each in change.from_commit]
        _report(f"{DEPENDENTS} dependents of one change", many)
        ratio = stack.percentile(many, 0.99) / stack.percentile(one, 0.5)
        print(f"a thousand dependents at p99 wait {ratio:.0f} times as long as a single one at p50")
    if shutil.which("etcd"):
        watched = etcd.put_to_watch(CHANGES)
        whole = [each.commit + each.from_commit[0] for each in both]
        _report("one dependent, from sending the change", whole)
        _report("etcd's watcher, from sending the put", watched)
        ratio = stack.percentile(whole, 0.5) / stack.percentile(watched, 0.5)
        print(f"a dependent is told after {ratio:.1f} times as long as etcd's watcher")


def _register(client: Any, receiver: Receiver, *, count: int) -> None:
    client.put(PROVIDER, json={"url": "http://127.0.0.1:1", "heartbeat": {"kind": "ttl", "interval_seconds": 600}})
    client.put(f"{PROVIDER}/heartbeat")
    dependents = [
        {
            "service": "dependent",
            "instance": f"dependent-{number}",
            "url": "http://127.0.0.1:1",
            "requires": ["provider"],
            "notify_url": f"http://127.0.0.1:{receiver.port}/notify",
            "notify_secret": SECRET,
            "heartbeat": {"kind": "ttl", "interval_seconds": 600},
        }
        for number in range(count)
    ]
    client.post("/v1/registrations:batch", json={"instances": dependents}).raise_for_status()
    time.sleep(1.5)


@dataclass(frozen=True, kw_only=True)
class Change:
    """Milliseconds: until the registry answered, and from then on until each dependent was told."""

    commit: float
    from_commit: list[float]


def _change(client: Any, receiver: Receiver, number: int, *, count: int) -> Change:
    """One change, of which `count` dependents are told."""
    heartbeat = {"kind": "ttl", "interval_seconds": 600}
    body = {"url": "http://127.0.0.1:1", "weight": number % 2 + 1, "heartbeat": heartbeat}
    receiver.told.clear()
    sent = time.perf_counter()
    revision = client.put(PROVIDER, json=body).json()["revision"]
    committed = time.perf_counter()
    times = receiver.times(revision, count)
    time.sleep(0.02)
    from_commit = [max(0.0, at - committed) * 1000 for at in times]
    return Change(commit=(committed - sent) * 1000, from_commit=from_commit)


def _report(what: str, milliseconds: list[float]) -> None:
    p50, p99 = stack.percentile(milliseconds, 0.5), stack.percentile(milliseconds, 0.99)
    print(f"{what}: p50 {p50:.1f} ms, p99 {p99:.1f} ms, of {len(milliseconds)}")


if __name__ == "__main__":
    main()
