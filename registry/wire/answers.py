"""The shapes of answers, which encode them and describe them in the API's OpenAPI document."""

from datetime import date
from typing import Annotated, Literal

from msgspec import Meta, Struct

from registry.wire.declaration import HeartbeatDeclaration
from registry.wire.limits import (
    Count,
    InstanceName,
    Revision,
    ServiceName,
    Share,
    ShownStatus,
    Timestamp,
    Url,
)

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
Health = Literal["starting", "passing", "warning", "critical"]
ServiceState = Literal["critical", "missing", "degraded", "draining", "maintenance", "warning", "starting", "passing"]


class Problem(Struct, kw_only=True, omit_defaults=True):
    """RFC 9457: branch on `type`; `errors` names each wrong member by JSON pointer."""

    type: str
    title: str
    status: Annotated[int, Meta(ge=400, le=599)]
    detail: str
    errors: list[dict[str, str]] = []


class Provider(Struct, kw_only=True):
    """An instance as its dependents see it."""

    service: ServiceName
    instance: InstanceName
    url: Url
    status: ShownStatus
    suspect: bool
    zone: str
    version: str
    weight: Count
    tags: list[str]
    metadata: dict[str, str]


class RegisteredInstance(Provider, kw_only=True):
    """An instance as it is stored; `dns_label` is its name in a form that DNS takes."""

    dns_label: str
    health: Health
    status_since: Timestamp
    status_reason: str
    draining_until: Timestamp | None
    requires: list[ServiceName]
    notify_url: str | None
    heartbeat: HeartbeatDeclaration
    registered_at: Timestamp
    registered_by: str
    revision: Revision


class Registration(Struct, kw_only=True):
    instance: RegisteredInstance
    revision: Revision
    providers: dict[str, list[Provider]]


class RegistrationResult(Struct, kw_only=True, omit_defaults=True):
    status: int
    service: ServiceName | None = None
    instance: InstanceName | None = None
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
    next: InstanceName | None


class ServiceSummary(Struct, kw_only=True):
    service: ServiceName
    instances: Count
    starting: Count
    passing: Count
    warning: Count
    critical: Count
    maintenance: Count
    draining: Count
    requires: list[ServiceName]
    required_by: list[ServiceName]


class ServiceList(Struct, kw_only=True):
    """`next` is the `cursor` of the next page."""

    revision: Revision
    services: list[ServiceSummary]
    next: ServiceName | None


class Providers(Struct, kw_only=True):
    revision: Revision
    providers: dict[str, list[Provider]]


class Entry(Struct, kw_only=True):
    """One change in the journal."""

    revision: Revision
    at: Timestamp
    change: ChangeName
    service: ServiceName
    instance: InstanceName
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


class Subscriber(Struct, kw_only=True):
    """The dependent to which a webhook goes."""

    service: ServiceName
    instance: InstanceName


class Removed(Struct, kw_only=True):
    """An instance that is no longer offered, and the change in the journal that ended it."""

    service: ServiceName
    instance: InstanceName
    reason: ChangeName


class ProvidersChange(Struct, kw_only=True, omit_defaults=True):
    """The net change, between two revisions, of the services that `subscriber` requires."""

    subscriber: Subscriber
    from_revision: Revision
    to_revision: Revision
    # Set when the dependent is to ask for the whole.
    resync: bool = False
    added: list[Provider]
    changed: list[Provider]
    removed: list[Removed]


class Webhook(Struct, kw_only=True):
    """A webhook's body; `type` is `registry.providers.changed`."""

    type: str
    timestamp: Timestamp
    data: ProvidersChange


class DeliveryAttempt(Struct, kw_only=True):
    id: int
    service: ServiceName
    instance: InstanceName
    at: Timestamp
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
    """The results of probes: `uptime` is the share that did not fail; the latencies are theirs, in milliseconds."""

    probes: Count
    failures: Count
    warnings: Count
    uptime: Share | None
    latency_mean_ms: float | None
    latency_max_ms: float | None


class ProbesOfPeriod(Probes, kw_only=True):
    start: Timestamp


class History(Struct, kw_only=True):
    """`periods` are the days or hours of UTC in which anything was probed, oldest first."""

    total: Probes
    periods: list[ProbesOfPeriod]


class HeartbeatState(Struct, kw_only=True):
    """An instance's last result and its next probe; `consecutive_failures` are those in a row so far."""

    instance: InstanceName
    last_heartbeat_at: Timestamp | None
    last_passed_at: Timestamp | None
    latency_ms: float | None
    consecutive_failures: Count
    next_due_at: Timestamp
    detail: str


class Heartbeats(Struct, kw_only=True):
    heartbeats: list[HeartbeatState]


class DueNow(Struct, kw_only=True):
    """`due` is 0 when a probe is already under way."""

    due: Count


class Protection(Struct, kw_only=True):
    active: bool
    since: Timestamp | None
    reason: str
    ends: str
    suspects: Count
    grace_until: Timestamp | None


class GraphService(Struct, kw_only=True):
    """`causes` are the root causes that explain the state; none for a root cause itself."""

    service: ServiceName
    offers: bool
    requires: list[ServiceName]
    state: ServiceState
    since: Timestamp | None
    reason: str
    causes: list[ServiceName]


class Graph(Struct, kw_only=True):
    revision: Revision
    services: list[GraphService]
    down: list[ServiceName]
    roots: list[list[ServiceName]]
    affected: dict[str, list[ServiceName]]
    unmet: dict[str, list[ServiceName]]
    cycles: list[list[ServiceName]]


class BoardService(ServiceSummary, kw_only=True):
    """A service on the status board: `days` are pairs of a date and its uptime, from 0 to 1, for days on which it was
    probed; `latencies` the hourly means of the last 24 hours in milliseconds, oldest first."""

    status: ServiceState
    status_since: Timestamp | None
    status_reason: str
    causes: list[ServiceName]
    last_heartbeat_at: Timestamp | None
    latency_ms: float | None
    tags: list[str]
    zones: list[str]
    days: list[tuple[date, Share]]
    latencies: list[float | None]


class Board(Struct, kw_only=True):
    """`findings` are sentences on what is wrong with the registry's own work, so that states may be out of date."""

    revision: Revision
    at: Timestamp
    findings: list[str]
    services: list[BoardService]
