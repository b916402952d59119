"""The answers' shapes, for the API's description; tests hold what is answered to them."""

from datetime import date, datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

from registry.discovery.queries import Revision, ShownStatus
from registry.instances.declaration import HeartbeatDeclaration, Name, Url

ChangeName = Literal[
    "registered",
    "changed",
    "passing",
    "warning",
    "critical",
    "suspect",
    "maintenance",
    "maintenance-ended",
    "draining",
    "deregistered",
]
ServiceState = Literal["critical", "missing", "degraded", "draining", "maintenance", "warning", "starting", "passing"]
Count = Annotated[int, Meta(ge=0)]


class Problem(Struct, kw_only=True, omit_defaults=True):
    """RFC 9457: branch on `type`; `errors` names each wrong member by JSON pointer."""

    type: str
    title: str
    status: Annotated[int, Meta(ge=400, le=599)]
    detail: str
    errors: list[dict[str, str]] = []


class Provider(Struct, kw_only=True):
    """What a dependent needs to know of an instance."""

    service: Name
    instance: Name
    url: Url
    status: ShownStatus
    suspect: bool
    zone: str
    version: str
    weight: Count
    tags: list[str]
    metadata: dict[str, str]


class RegisteredInstance(Provider, kw_only=True):
    """An instance whole, as it is stored."""

    health: Literal["starting", "passing", "warning", "critical"]
    status_since: datetime
    status_reason: str
    draining_until: datetime | None
    requires: list[Name]
    notify_url: str | None
    heartbeat: HeartbeatDeclaration
    registered_at: datetime
    registered_by: str
    revision: Revision


class Registration(Struct, kw_only=True):
    instance: RegisteredInstance
    revision: Revision
    providers: dict[str, list[Provider]]


class RegistrationResult(Struct, kw_only=True, omit_defaults=True):
    status: int
    service: Name | None = None
    instance: Name | None = None
    revision: Revision | None = None
    problem: Problem | None = None


class BatchAnswer(Struct, kw_only=True):
    revision: Revision | None
    results: list[RegistrationResult]
    providers: dict[str, list[Provider]]


class InstanceList(Struct, kw_only=True):
    """`next` is the `cursor` of the next page."""

    revision: Revision
    instances: list[RegisteredInstance]
    next: Name | None


class ServiceSummary(Struct, kw_only=True):
    service: Name
    instances: Count
    starting: Count
    passing: Count
    warning: Count
    critical: Count
    maintenance: Count
    draining: Count
    requires: list[Name]
    required_by: list[Name]


class ServiceList(Struct, kw_only=True):
    """`next` is the `cursor` of the next page."""

    revision: Revision
    services: list[ServiceSummary]
    next: Name | None


class Providers(Struct, kw_only=True):
    revision: Revision
    providers: dict[str, list[Provider]]


class Entry(Struct, kw_only=True):
    """One change in the journal."""

    revision: Revision
    at: datetime
    change: ChangeName
    service: Name
    instance: Name
    author: str
    reason: str


class Journal(Struct, kw_only=True):
    """`next` is the `after` of the next page, or in the order `newest` its `before`."""

    revision: Revision
    entries: list[Entry]
    next: Revision | None


class TargetGroup(Struct, kw_only=True):
    targets: list[str]
    labels: dict[str, str]


class DeliveryAttempt(Struct, kw_only=True):
    id: int
    service: Name
    instance: Name
    at: datetime
    webhook_id: str
    from_revision: Revision
    to_revision: Revision
    status_code: int | None
    duration_ms: float
    error: str
    answer: str


class Deliveries(Struct, kw_only=True):
    """Newest first; `next` is the `before` of the next page."""

    deliveries: list[DeliveryAttempt]
    next: int | None


class Trial(Struct, kw_only=True):
    webhook_id: str
    succeeded: bool
    status_code: int | None
    duration_ms: float
    error: str
    answer: str


class Resynced(Struct, kw_only=True):
    dependents: Count


class Probes(Struct, kw_only=True):
    """What probes found: `uptime` is the share that did not fail, the latencies are in milliseconds and of those."""

    probes: Count
    failures: Count
    warnings: Count
    uptime: Annotated[float, Meta(ge=0, le=1)] | None
    latency_mean_ms: float | None
    latency_max_ms: float | None


class ProbesOfPeriod(Probes, kw_only=True):
    start: datetime


class History(Struct, kw_only=True):
    """`periods` are the days or hours of UTC in which anything was probed, oldest first."""

    total: Probes
    periods: list[ProbesOfPeriod]


class HeartbeatState(Struct, kw_only=True):
    """An instance's last result and its next probe; `consecutive_failures` are those in a row up to now."""

    instance: Name
    last_heartbeat_at: datetime | None
    last_passed_at: datetime | None
    latency_ms: float | None
    consecutive_failures: Count
    next_due_at: datetime
    detail: str


class Heartbeats(Struct, kw_only=True):
    heartbeats: list[HeartbeatState]


class DueNow(Struct, kw_only=True):
    """`due` is 0 where a probe is under way already."""

    due: Count


class Protection(Struct, kw_only=True):
    active: bool
    since: datetime | None
    reason: str
    ends: str
    suspects: Count
    grace_until: datetime | None


class GraphService(Struct, kw_only=True):
    """`causes` are the root causes that explain the state; none for a root cause itself."""

    service: Name
    offers: bool
    requires: list[Name]
    state: ServiceState
    since: datetime | None
    reason: str
    causes: list[Name]


class Graph(Struct, kw_only=True):
    revision: Revision
    services: list[GraphService]
    down: list[Name]
    roots: list[list[Name]]
    affected: dict[str, list[Name]]
    unmet: dict[str, list[Name]]
    cycles: list[list[Name]]


class BoardService(ServiceSummary, kw_only=True):
    """A service on the status board: `days` are pairs of a date and the uptime on it, from 0 to 1, of those on which it
    was probed; `latencies` the mean milliseconds of the last 24 hours, oldest first."""

    status: ServiceState
    status_since: datetime | None
    status_reason: str
    causes: list[Name]
    last_heartbeat_at: datetime | None
    latency_ms: float | None
    tags: list[str]
    zones: list[str]
    days: list[tuple[date, Annotated[float, Meta(ge=0, le=1)]]]
    latencies: list[float | None]


class Board(Struct, kw_only=True):
    revision: Revision
    at: datetime
    services: list[BoardService]
