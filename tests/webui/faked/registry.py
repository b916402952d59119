"""The registry's API over three services."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tests.webui.faked.call import NOW, Answer, Call, problem, wire


@dataclass
class Registry:
    """Three services as `make up` runs them."""

    requires: dict[str, list[str]] = field(
        default_factory=lambda: {"grading": ["logsvc"], "logsvc": [], "webui": ["grading", "logsvc"]}
    )
    instances: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    entries: list[dict[str, Any]] = field(default_factory=list)
    # What was operated: method, path, for whom, and the body.
    operations: list[tuple[str, str, str, Any]] = field(default_factory=list)
    urls: dict[str, str] = field(default_factory=dict)
    findings: list[str] = field(default_factory=list)
    protection: dict[str, Any] = field(default_factory=lambda: {"active": False, "since": None, "suspects": 0})

    def __post_init__(self) -> None:
        for service in self.requires:
            self.become(service, "passing", change="registered")

    def become(
        self, service: str, status: str, *, change: str = "", reason: str = "", number: int = 1, at: datetime = NOW
    ) -> None:
        name = f"{service}-{number}"
        self.instances[service, name] = {
            "service": service,
            "instance": name,
            "url": self.urls.get(service, f"http://{service}.test"),
            "status": status,
            "status_since": wire(at),
            "status_reason": reason,
            "zone": "",
            "version": "",
            "weight": 100,
            "tags": [],
            "metadata": {},
            "requires": self.requires.get(service, []),
            "notify_url": f"http://{service}.test/rollcall/notify",
            "heartbeat": {"kind": "http", "url": f"http://{service}.test/healthz", "interval_seconds": 10.0},
            "registered_at": wire(NOW),
            "registered_by": "tester",
        }
        self._journal(service, name, change or status, reason, at)

    def deregister(self, service: str, *, at: datetime = NOW) -> None:
        name = f"{service}-1"
        del self.instances[service, name]
        self._journal(service, name, "deregistered", "", at)

    def answer(self, call: Call) -> Answer:
        match call.path.strip("/").split("/")[1:]:
            case ["board"]:
                down, own = set(self._down()), self._own()
                rows = [self._row(name, self._state(name, own, down), down) for name in sorted(own)]
                return 200, {"revision": len(self.entries), "findings": self.findings, "services": rows}
            case ["graph"]:
                return 200, self._graph()
            case ["services", service, "heartbeats"]:
                found = [each for each in self.instances.values() if each["service"] == service]
                beats = [
                    {"instance": each["instance"], "last_heartbeat_at": wire(NOW), "latency_ms": 1.9} for each in found
                ]
                return 200, {"heartbeats": beats}
            case ["services", service, "history"]:
                day = {"start": wire(NOW), "probes": 10, "failures": 1, "uptime": 0.9, "latency_mean_ms": 2.0}
                return 200, {"total": day, "periods": [day]}
            case ["deliveries"]:
                sent = {"service": call.query["service"], "instance": f"{call.query['service']}-1", "at": wire(NOW)}
                accepted = {"from_revision": 1, "to_revision": 2, "status_code": 204, "duration_ms": 3.0, "error": ""}
                failed = accepted | {"status_code": None, "error": "connection refused"}
                return 200, {"deliveries": [sent | failed, sent | accepted], "next": None}
            case ["services", service, "instances", name, "probe"]:
                return self._operate(call, {"due": 1})
            case ["services", service, "instances", name, "maintenance"]:
                status = "maintenance" if call.method == "PUT" else "passing"
                self.instances[service, name] |= {"status": status}
                return self._operate(call, None)
            case ["services", service, "instances", name, "drain" | "replay"]:
                return self._operate(call, None)
            case ["services", service, "instances", name] if call.method == "DELETE":
                self.instances.pop((service, name), None)
                return self._operate(call, None)
            case ["services", service, "instances", name] if call.method == "GET":
                known = self.instances.get((service, name))
                return (200, known) if known else problem(404, "not-found", "There is no such instance.")
            case ["services", service, "instances"]:
                offered = [each for each in self.instances.values() if each["service"] == service]
                return 200, {"revision": len(self.entries), "instances": offered}
            case ["protection"]:
                return 200, self.protection
            case ["journal"]:
                limit, wanted = int(call.query["limit"]), call.query.get("service")
                newest = [each for each in reversed(self.entries) if wanted in (None, each["service"])]
                return 200, {"revision": len(self.entries), "entries": newest[:limit], "next": None}
            case ["services", service, "instances", _] if call.method == "PUT":
                return 200, self._membership(self.instances[service, f"{service}-1"] | call.body)
            case ["instances", _, _, "providers"]:
                return 200, {"revision": len(self.entries), "providers": self._providers()}
        return (204, None) if call.method == "DELETE" else problem(404, "not-found", "There is no such service.")

    def _operate(self, call: Call, body: Any) -> Answer:
        self.operations.append((call.method, call.path, call.headers.get("rollcall-act-for", ""), call.body))
        return (200, body) if body else (204, None)

    def _row(self, name: str, state: str, down: set[str]) -> dict[str, Any]:
        found = [each for each in self.instances.values() if each["service"] == name]
        worst = next((each for each in found if each["status"] == state), found[0] if found else None)
        counts = {
            status: sum(each["status"] == status for each in found) for status in ("passing", "warning", "critical")
        }
        return {
            "service": name,
            "status": state,
            "instances": len(found),
            **counts,
            "requires": self.requires.get(name, []),
            "required_by": [other for other, needs in self.requires.items() if name in needs],
            "status_since": worst and worst["status_since"],
            "status_reason": worst["status_reason"] if worst else "required, and nobody registered it",
            "causes": self._causes(name, down),
            "last_heartbeat_at": wire(datetime.now(UTC)) if found else None,
            "latency_ms": 1.9 if found else None,
            "tags": [],
            "zones": ["north" if name < "h" else "south"],
            "days": [["2026-11-22", 1.0], ["2026-11-23", 0.97]],
            "latencies": [None, 1.7, 2.5, 1.9],
        }

    def _own(self) -> dict[str, str]:
        """Each service's state by its own instances."""
        statuses: dict[str, set[str]] = {name: set() for needs in self.requires.values() for name in needs}
        statuses |= {name: set() for name in self.requires}
        for each in self.instances.values():
            statuses.setdefault(each["service"], set()).add(each["status"])
        order = ("passing", "warning", "critical", "maintenance", "draining", "starting")
        return {name: next((each for each in order if each in found), "missing") for name, found in statuses.items()}

    def _down(self) -> list[str]:
        return sorted(name for name, own in self._own().items() if own not in ("passing", "warning", "starting"))

    def _causes(self, name: str, down: set[str]) -> list[str]:
        return sorted(each for each in self._reach(name) & down if not set(self.requires.get(each, [])) & down)

    def _state(self, name: str, own: dict[str, str], down: set[str]) -> str:
        return "degraded" if own[name] in ("passing", "warning") and self._causes(name, down) else own[name]

    def _graph(self) -> dict[str, Any]:
        down, own = self._down(), self._own()
        roots = [name for name in down if not self._causes(name, set(down))]
        affected = {name: sorted(other for other in self.requires if name in self._reach(other)) for name in down}
        return {
            "revision": len(self.entries),
            "services": [
                {
                    "service": name,
                    "state": self._state(name, own, set(down)),
                    "requires": needs,
                    "causes": self._causes(name, set(down)),
                }
                for name, needs in self.requires.items()
            ],
            "down": down,
            "roots": [[name] for name in roots],
            "affected": affected,
            "unmet": {name: [each for each in needs if each in down] for name, needs in self.requires.items()},
            "cycles": [],
        }

    def _reach(self, name: str) -> set[str]:
        reached, waiting = set[str](), list(self.requires.get(name, []))
        while waiting:
            each = waiting.pop()
            if each not in reached:
                reached.add(each)
                waiting += self.requires.get(each, [])
        return reached

    def _membership(self, instance: dict[str, Any]) -> dict[str, Any]:
        instance = instance | {"registered_at": wire(NOW), "revision": 1, "registered_by": "tester"}
        return {"instance": instance, "revision": len(self.entries), "providers": self._providers()}

    def _providers(self) -> dict[str, Any]:
        # All, whatever a test makes of their status: one web UI serves many tests, and would carry what it was told in
        # one of them, whenever it happened to ask, into the next.
        offered = list(self.instances.values())
        return {name: [each for each in offered if each["service"] == name] for name in ("grading", "logsvc")}

    def _journal(self, service: str, instance: str, change: str, reason: str, at: datetime) -> None:
        entry = {"change": change, "service": service, "instance": instance, "author": "registry", "reason": reason}
        self.entries.append({"revision": len(self.entries) + 1, "at": wire(at), **entry})
