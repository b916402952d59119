"""The registry's API over three services."""

from dataclasses import dataclass, field
from datetime import datetime
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
    urls: dict[str, str] = field(default_factory=dict)
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
        }
        self._journal(service, name, change or status, reason, at)

    def deregister(self, service: str, *, at: datetime = NOW) -> None:
        name = f"{service}-1"
        del self.instances[service, name]
        self._journal(service, name, "deregistered", "", at)

    def answer(self, call: Call) -> Answer:
        match call.path.strip("/").split("/")[1:]:
            case ["services"]:
                return 200, {"revision": len(self.entries), "services": [self._service(name) for name in self.requires]}
            case ["services", service, "instances"]:
                offered = [each for each in self.instances.values() if each["service"] == service]
                return 200, {"revision": len(self.entries), "instances": offered}
            case ["protection"]:
                return 200, self.protection
            case ["journal"]:
                after = int(call.query["after"])
                return 200, {"revision": len(self.entries), "entries": self.entries[after:], "next": None}
            case ["services", service, "instances", _] if call.method == "PUT":
                return 200, self._membership(self.instances[service, f"{service}-1"] | call.body)
            case ["instances", _, _, "providers"]:
                return 200, {"revision": len(self.entries), "providers": self._providers()}
        return (204, None) if call.method == "DELETE" else problem(404, "not-found", "There is no such service.")

    def _service(self, name: str) -> dict[str, Any]:
        return {"service": name, "requires": self.requires[name], "required_by": [], "instances": 1, "passing": 1}

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
