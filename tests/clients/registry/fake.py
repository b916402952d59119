"""A registry in memory that speaks docs/protocol.md over a transport: the only fake there is, at the HTTP edge."""

import json
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import httpx2

from registry.client import Registration, Registry

PROBLEM = "application/problem+json"
TOKEN = "rct_fake"


@dataclass
class FakeRegistry:
    """`instances` are what was registered, by (service, instance); `offered` those that dependents are given."""

    revision: int = 0
    instances: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    runs: dict[tuple[str, str], str] = field(default_factory=dict)
    deregistered_runs: set[str] = field(default_factory=set)
    superseded_runs: set[str] = field(default_factory=set)
    requests: list[httpx2.Request] = field(default_factory=list)
    # The polls that waited for a change, which is when they are answered.
    polls: list[httpx2.Request] = field(default_factory=list)
    beats: list[dict[str, Any] | None] = field(default_factory=list)
    is_away: bool = False
    # Called after every answer.
    listener: Callable[[httpx2.Request], object] = lambda request: None
    # Called in place of an answer, once for each that is there.
    mishaps: list[Callable[[httpx2.Request], httpx2.Response]] = field(default_factory=list)

    def client(self) -> Registry:
        return Registry("http://registry.test", TOKEN, transport=self.transport())

    def transport(self) -> httpx2.MockTransport:
        return httpx2.MockTransport(self.answer)

    def offer(self, service: str, instance: str, **members: Any) -> None:
        """Offer an instance as if another had registered, and passed."""
        self._register(service, instance, {"url": f"http://{instance}.test", "status": "passing", **members})

    def withdraw(self, service: str, instance: str) -> None:
        if self.instances.pop((service, instance), None):
            self.revision += 1

    def edit(self, service: str, instance: str, **members: Any) -> None:
        """Change the registration as an operator or an import would."""
        self.instances[service, instance].update(members)
        self.revision += 1

    def deregister(self, service: str, instance: str, *, run: str | None = None) -> None:
        """Deregister a run for good, or the present one when none is named."""
        known = self.runs.get((service, instance), "")
        self.deregistered_runs.add(run or known)
        if run in (None, known):
            self.withdraw(service, instance)

    def lose_everything(self) -> None:
        self.revision = 0
        self.instances.clear()

    def registered(self) -> set[str]:
        return {f"{service}/{instance}" for service, instance in self.instances}

    def calls(self) -> list[str]:
        return [f"{request.method} {request.url.path}" for request in self.requests]

    def answer(self, request: httpx2.Request) -> httpx2.Response:
        if "after" in request.url.params:
            self._wait(request)
            self.polls.append(request)
            return self._answer(request)
        self.requests.append(request)
        try:
            return self._answer(request)
        finally:
            self.listener(request)

    def _wait(self, request: httpx2.Request) -> None:
        """Wait until there is a later revision, the instance is gone, or the time is over."""
        milliseconds = int(request.url.params["wait"].removesuffix("ms"))
        pause = threading.Event()
        for _ in range(milliseconds):
            if self.is_away or int(request.url.params["after"]) != self.revision:
                return
            pause.wait(0.001)

    def _answer(self, request: httpx2.Request) -> httpx2.Response:
        if self.is_away:
            raise httpx2.ConnectError("refused", request=request)
        if self.mishaps:
            return self.mishaps.pop(0)(request)
        if request.headers["Authorization"] != f"Bearer {TOKEN}":
            return problem(401, "unauthenticated")
        return self._route(request)

    def _route(self, request: httpx2.Request) -> httpx2.Response:
        body = json.loads(request.content) if request.content else None
        match request.method, *request.url.path.strip("/").split("/")[1:]:
            case "PUT", "services", service, "instances", instance:
                members = body or {}
                if (run := members.pop("incarnation", "")) in self.deregistered_runs:
                    return problem(410, "deregistered")
                if run in self.superseded_runs:
                    return problem(409, "superseded")
                self.runs[service, instance] = run
                created = self._register(service, instance, {"status": "starting", **members})
                answer = {"instance": self._instance(service, instance), **self._resolution(service, instance)}
                return httpx2.Response(201 if created else 200, json=answer)
            case "GET", "services", service, "instances", instance if (service, instance) in self.instances:
                return self._tagged(request, self._instance(service, instance))
            case "DELETE", "services", service, "instances", instance:
                self.deregister(service, instance, run=request.url.params.get("incarnation"))
                return httpx2.Response(204)
            case "POST", "services", service, "instances", instance, "drain" if (service, instance) in self.instances:
                self.instances[service, instance]["status"] = "draining"
                self.revision += 1
                return httpx2.Response(200, json=self._instance(service, instance))
            case "PUT", "services", service, "instances", instance, "heartbeat" if (
                service,
                instance,
            ) in self.instances:
                self.beats.append(body)
                return httpx2.Response(204)
            case "GET", "instances", service, instance, "providers" if (service, instance) in self.instances:
                return self._tagged(request, self._resolution(service, instance))
            case "GET", "services", service, "instances":
                return self._tagged(request, {"revision": self.revision, "instances": self._listed(request, service)})
            case "GET", "services":
                services = [{"service": name, "instances": 1} for name, _ in self.instances]
                return self._tagged(request, {"revision": self.revision, "services": services})
        return problem(404, "not-found")

    def _register(self, service: str, instance: str, members: dict[str, Any]) -> bool:
        key = (service, instance)
        before = self.instances.get(key)
        if before is not None:
            members["status"] = before["status"]
        if before != members:
            self.revision += 1
            self.instances[key] = members
        return before is None

    def _listed(self, request: httpx2.Request, service: str) -> list[dict[str, Any]]:
        filters = dict(request.url.params)
        found = [self._instance(*key) for key in self.instances if key[0] == service]
        return [each for each in found if all(each.get(name) == value for name, value in filters.items())]

    def _tagged(self, request: httpx2.Request, body: dict[str, Any]) -> httpx2.Response:
        etag = f'"{self.revision}"'
        if request.headers.get("If-None-Match") == etag:
            return httpx2.Response(304, headers={"ETag": etag, "Rollcall-Revision": str(self.revision)})
        return httpx2.Response(200, json=body, headers={"ETag": etag})

    def _resolution(self, service: str, instance: str) -> dict[str, Any]:
        requires = self.instances[service, instance].get("requires", [])
        return {"revision": self.revision, "providers": {name: self._providers(name) for name in requires}}

    def _providers(self, service: str) -> list[dict[str, Any]]:
        return [
            self._instance(*key)
            for key, each in self.instances.items()
            if key[0] == service and each["status"] == "passing"
        ]

    def _instance(self, service: str, instance: str) -> dict[str, Any]:
        return {
            "service": service,
            "instance": instance,
            "status_since": "2026-11-23T12:00:00.000Z",
            "registered_at": "2026-11-23T12:00:00.000Z",
            "registered_by": "tester",
            "revision": self.revision,
            "a_member_of_tomorrow": {"is": "ignored"},
            **self.instances[service, instance],
        }


def problem(status: int, code: str, **members: Any) -> httpx2.Response:
    body = {"type": f"urn:rollcall:problem:{code}", "title": code, "status": status, "detail": "Because.", **members}
    return httpx2.Response(status, content=json.dumps(body), headers={"Content-Type": PROBLEM})


def registration(requires: Iterable[str] = ("grading",), **members: Any) -> Registration:
    return Registration(
        **{
            "service": "webui",
            "instance": "webui-1",
            "url": "http://webui.test",
            "requires": tuple(requires),
            **members,
        }
    )
