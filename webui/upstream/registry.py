"""The registry's knowledge: the services and the causes of their states, their instances, the events; and an operator's
orders to it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from urllib.parse import quote

import msgspec
from django.conf import settings
from msgspec import Struct

from webui.upstream import exchange
from webui.upstream.exchange import Question


class _ServiceMembers(Struct, frozen=True, kw_only=True):
    service: str
    status: str
    instances: int = 0
    passing: int = 0
    warning: int = 0
    critical: int = 0
    status_since: datetime | None = None
    status_reason: str = ""
    last_heartbeat_at: datetime | None = None
    latency_ms: float | None = None
    # The services whose failure explains this one's state.
    causes: tuple[str, ...] = ()
    requires: tuple[str, ...] = ()
    required_by: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    zones: tuple[str, ...] = ()


class Service(_ServiceMembers, frozen=True, kw_only=True):
    """A service as one row of the board; one that is required but not registered has no instances."""

    # JSON, read when it is drawn: of 500 services they are 57,000 figures.
    days_json: bytes = b"[]"
    latencies_json: bytes = b"[]"

    @property
    def days(self) -> dict[date, float]:
        """The share of probes that did not fail, by day, of those days that had any."""
        return dict(msgspec.json.decode(self.days_json, type=list[tuple[date, float]]))

    @property
    def latencies(self) -> list[float | None]:
        """The mean latency of each of the last hours, oldest first."""
        return msgspec.json.decode(self.latencies_json, type=list[float | None])


@dataclass(frozen=True, kw_only=True)
class GraphService:
    service: str
    state: str = ""
    requires: tuple[str, ...] = ()
    # The services whose failure explains this one's state; none for a root itself.
    causes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Graph:
    """The registry's judgement of what stands on what; see docs/protocol.md."""

    revision: int = 0
    services: tuple[GraphService, ...] = ()
    down: tuple[str, ...] = ()
    roots: tuple[tuple[str, ...], ...] = ()
    affected: dict[str, tuple[str, ...]] = field(default_factory=dict)
    unmet: dict[str, tuple[str, ...]] = field(default_factory=dict)
    cycles: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, kw_only=True)
class Protection:
    """While it is active the registry believes no failure, because too much fails at once; `ends` says what ends it."""

    active: bool = False
    since: datetime | None = None
    reason: str = ""
    ends: str = ""
    suspects: int = 0


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A line of the registry's journal."""

    revision: int
    at: datetime
    change: str
    service: str
    instance: str
    author: str = ""
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class Heartbeat:
    kind: str = ""
    url: str = ""
    interval_seconds: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Instance:
    service: str
    instance: str
    url: str
    status: str
    status_since: datetime
    status_reason: str = ""
    zone: str = ""
    version: str = ""
    tags: tuple[str, ...] = ()
    requires: tuple[str, ...] = ()
    notify_url: str | None = None
    heartbeat: Heartbeat = Heartbeat()
    registered_at: datetime | None = None
    registered_by: str = ""
    # It failed, and the registry takes that for a fault of its own: it stays offered.
    suspect: bool = False


@dataclass(frozen=True, kw_only=True)
class Beat:
    """The state of an instance's heartbeat."""

    instance: str
    last_heartbeat_at: datetime | None = None
    latency_ms: float | None = None
    consecutive_failures: int = 0
    next_due_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """An attempt to tell a dependent."""

    at: datetime
    service: str = ""
    instance: str = ""
    from_revision: int = 0
    to_revision: int = 0
    status_code: int | None = None
    duration_ms: float | None = None
    error: str = ""

    @property
    def succeeded(self) -> bool:
        return self.status_code is not None and 200 <= self.status_code < 300


@dataclass(frozen=True, kw_only=True)
class Period:
    start: datetime
    probes: int = 0
    failures: int = 0
    uptime: float | None = None
    latency_mean_ms: float | None = None
    latency_max_ms: float | None = None


@dataclass(frozen=True, kw_only=True)
class _Due:
    due: int


class _BoardService(_ServiceMembers, frozen=True, kw_only=True):
    days: msgspec.Raw = msgspec.Raw(b"[]")
    latencies: msgspec.Raw = msgspec.Raw(b"[]")


@dataclass(frozen=True, kw_only=True)
class _Board:
    services: list[_BoardService]
    revision: int = 0
    findings: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Services:
    """Every service, as of a revision."""

    services: tuple[Service, ...]
    revision: int = 0
    # Faults in the registry's own work, a sentence each: the states are then older than they should be.
    findings: tuple[str, ...] = ()

    @property
    def judged(self) -> tuple[tuple[str, str, tuple[str, ...], tuple[str, ...]], ...]:
        """The members of a service from which the graph follows."""
        return tuple((each.service, each.status, each.causes, each.requires) for each in self.services)


@dataclass(frozen=True, kw_only=True)
class _Entries:
    entries: list[Entry]


@dataclass(frozen=True, kw_only=True)
class _Instances:
    instances: list[Instance]


@dataclass(frozen=True, kw_only=True)
class _Beats:
    heartbeats: list[Beat]


@dataclass(frozen=True, kw_only=True)
class _Deliveries:
    deliveries: list[Delivery]


@dataclass(frozen=True, kw_only=True)
class _History:
    total: dict[str, Any]
    periods: list[Period]


def services() -> Services:
    found = _ask("/v1/board", _Board)
    return Services(services=tuple(map(_service, found.services)), revision=found.revision, findings=found.findings)


def graph() -> Graph:
    return _ask("/v1/graph", Graph)


def protection() -> Protection:
    return _ask("/v1/protection", Protection)


def newest_entries(*, limit: int, service: str = "") -> tuple[Entry, ...]:
    parameters = {"order": "newest", "limit": str(limit)} | ({"service": service} if service else {})
    return tuple(_ask("/v1/journal", _Entries, parameters).entries)


def instances(service: str) -> tuple[Instance, ...]:
    return tuple(_ask(f"{_path(service)}/instances", _Instances).instances)


def instance(service: str, name: str) -> Instance:
    return _ask(_path(service, name), Instance)


def beats(service: str) -> dict[str, Beat]:
    """The heartbeats by instance."""
    return {beat.instance: beat for beat in _ask(f"{_path(service)}/heartbeats", _Beats).heartbeats}


def deliveries(service: str, *, limit: int) -> tuple[Delivery, ...]:
    """The newest attempts to tell an instance of the service."""
    return tuple(_ask("/v1/deliveries", _Deliveries, {"service": service, "limit": str(limit)}).deliveries)


def history(service: str, *, days: int, by: str) -> tuple[Period, ...]:
    return tuple(_ask(f"{_path(service)}/history", _History, {"days": str(days), "by": by}).periods)


def probe(service: str, name: str, *, person: str) -> bool:
    """Have it probed now; False when a probe is under way already."""
    return bool(exchange.ask(_operation("POST", f"{_path(service, name)}/probe", person), _Due).due)


def begin_maintenance(service: str, name: str, *, until: datetime | None, reason: str, person: str) -> None:
    body = {"reason": reason} | ({"until": until.isoformat()} if until else {})
    exchange.fetch(_operation("PUT", f"{_path(service, name)}/maintenance", person, body))


def end_maintenance(service: str, name: str, *, person: str) -> None:
    exchange.fetch(_operation("DELETE", f"{_path(service, name)}/maintenance", person))


def drain(service: str, name: str, *, seconds: int, reason: str, person: str) -> None:
    exchange.fetch(_operation("POST", f"{_path(service, name)}/drain", person, {"seconds": seconds, "reason": reason}))


def replay(service: str, name: str, *, since: int, person: str) -> None:
    exchange.fetch(_operation("POST", f"{_path(service, name)}/replay", person, {"since": since}))


def deregister(service: str, name: str, *, person: str) -> None:
    exchange.fetch(_operation("DELETE", _path(service, name), person))


def _service(found: _BoardService) -> Service:
    """Without the whole answer, which what msgspec leaves undecoded would keep alive."""
    members = {name: getattr(found, name) for name in _ServiceMembers.__struct_fields__}
    return Service(**members, days_json=bytes(found.days), latencies_json=bytes(found.latencies))


def _path(service: str, instance: str | None = None) -> str:
    """`instance` empty: the service's own."""
    path = f"/v1/services/{quote(service, safe='')}"
    return f"{path}/instances/{quote(instance, safe='')}" if instance else path


def _operation(method: str, path: str, person: str, body: Mapping[str, Any] | None = None) -> Question:
    return Question(
        service=exchange.REGISTRY,
        path=path,
        token=settings.WEBUI_OPERATE_TOKEN,
        method=method,
        headers={"Rollcall-Act-For": person},
        body=body if body is not None else ({} if method in ("POST", "PUT") else None),
    )


def _ask(path: str, answer: type[exchange.Answer], parameters: dict[str, str] | None = None) -> exchange.Answer:
    token = settings.ROLLCALL["TOKEN"]
    return exchange.ask(Question(service=exchange.REGISTRY, path=path, token=token, params=parameters), answer)
