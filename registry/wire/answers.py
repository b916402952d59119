"""The answers' shapes, for the API's description; tests hold what is answered to them."""

from datetime import datetime
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
    """`next` is the `after` of the next page."""

    revision: Revision
    entries: list[Entry]
    next: Revision | None


class TargetGroup(Struct, kw_only=True):
    targets: list[str]
    labels: dict[str, str]


class DeliveryAttempt(Struct, kw_only=True):
    id: int
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


class Protection(Struct, kw_only=True):
    active: bool
    since: datetime | None
    reason: str
    ends: str
    suspects: Count
    grace_until: datetime | None


class GraphService(Struct, kw_only=True):
    service: Name
    offers: bool
    requires: list[Name]


class Graph(Struct, kw_only=True):
    revision: Revision
    services: list[GraphService]
    down: list[Name]
    roots: list[list[Name]]
    affected: dict[str, list[Name]]
    unmet: dict[str, list[Name]]
    cycles: list[list[Name]]
