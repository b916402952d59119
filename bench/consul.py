"""A real Consul, one server that stores what it acknowledges, as bench_peers measures it.

Instances are registered in the catalog, on a hundred nodes, each with a check that passes, as agents on a hundred hosts
would write them: `PUT /v1/catalog/register` answers when Raft has stored it. An agent's own call, which users make,
`PUT /v1/agent/service/register`, answers before the catalog has the service and leaves that write to be made later; the
checks are registered by it, because an agent runs them.
"""

import asyncio
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from bench import peer, stack
from bench.peer import Check, HealthChecker, Request, State
from bench.sockets import Answer

NODES = 100


class Consul(HealthChecker):
    name = "Consul"
    has_agent = True

    def __init__(self, url: str, mark: str) -> None:
        self.url = url
        self.mark = mark

    def register(self, service: str, instance: str, *, version: int = 1) -> Request:
        check = {"CheckID": f"service:{instance}", "Name": "ttl", "ServiceID": instance, "Status": "passing"}
        body = {
            **_node(instance),
            "Service": {
                "ID": instance,
                "Service": service,
                "Address": "127.0.0.1",
                "Port": 9000,
                "Weights": {"Passing": version, "Warning": 1},
            },
            "Check": check,
        }
        return Request(method="PUT", path="/v1/catalog/register", body=body)

    def deregister(self, service: str, instance: str) -> Request:
        body = {"Node": _node(instance)["Node"], "ServiceID": instance}
        return Request(method="PUT", path="/v1/catalog/deregister", body=body)

    def register_as_users(self, service: str, instance: str) -> Request:
        return _agent_request(service, instance, 9000, {"TTL": "3600s", "Status": "passing"})

    def deregister_as_users(self, service: str, instance: str) -> Request:
        return Request(method="PUT", path=f"/v1/agent/service/deregister/{instance}")

    def read(self, service: str) -> Request:
        return Request(method="GET", path=f"/v1/health/service/{service}?stale")

    def read_consistently(self, service: str) -> Request | None:
        return Request(method="GET", path=f"/v1/health/service/{service}?consistent")

    def poll(self, service: str, *, after: str = "") -> Request:
        query = f"?index={after}&wait=30s" if after else ""
        return Request(method="GET", path=f"/v1/health/service/{service}{query}")

    def state(self, answer: Answer) -> State:
        index = answer.head.split(b"x-consul-index:")[1].split(b"\r\n")[0].strip().decode()
        listed: list[dict[str, Any]] = answer.json()
        statuses = {each["Status"] for entry in listed for each in entry["Checks"]}
        return State(is_passing=statuses == {"passing"}, is_critical="critical" in statuses, index=index)

    def check(self, check: Check) -> Request | None:
        if not check.kind:
            return None
        address = f"127.0.0.1:{check.port}"
        probe = {"HTTP": f"http://{address}/"} if check.kind == "http" else {"TCP": address}
        probe |= {"Interval": f"{check.interval_seconds}s", "Timeout": "5s"}
        return _agent_request(check.service, check.instance, check.port, probe)

    def polled(self, count: int) -> list[float]:
        return [(each.heard - each.sent) * 1000 for each in asyncio.run(peer.changes(self, count))]


def _agent_request(service: str, instance: str, port: int, check: dict[str, str]) -> Request:
    body = {"ID": instance, "Name": service, "Address": "127.0.0.1", "Port": port, "Check": check}
    return Request(method="PUT", path="/v1/agent/service/register", body=body)


def _node(instance: str) -> dict[str, str]:
    return {"Node": f"node-{zlib.crc32(instance.encode()) % NODES}", "Address": "127.0.0.1"}


@contextmanager
def server() -> Iterator[HealthChecker]:
    http, serf, raft = (stack.free_port() for _ in range(3))
    url = f"http://127.0.0.1:{http}"
    ports = [f"-http-port={http}", f"-serf-lan-port={serf}", f"-server-port={raft}"]
    none = ["-serf-wan-port=-1", "-dns-port=-1", "-grpc-port=-1", "-grpc-tls-port=-1"]
    alone = [
        "-server",
        "-bootstrap-expect=1",
        "-node=bench",
        "-bind=127.0.0.1",
        "-client=127.0.0.1",
        "-log-level=error",
    ]
    with peer.running(
        lambda directory: ["consul", "agent", f"-data-dir={directory}", *alone, *ports, *none],
        # Elected, and the first to be listed in its own catalog.
        url=f"{url}/v1/health/node/bench",
        is_ready=lambda answer: answer.is_success and "passing" in answer.text,
    ) as mark:
        yield Consul(url, mark)
