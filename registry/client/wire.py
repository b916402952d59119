"""The wire shapes as frozen dataclasses; docs/protocol.md explains each member."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

# The statuses in which an instance is offered to its dependents.
OFFERED = ("passing", "warning")


@dataclass(frozen=True, kw_only=True)
class Heartbeat:
    """An instance's health check: `kind` is `auto`, `http`, `tcp` or `ttl`; `url` defaults to the instance's."""

    kind: str = "auto"
    url: str | None = None
    interval_seconds: float = 10.0
    timeout_seconds: float = 5.0
    warn_after_seconds: float | None = None
    failures_before_critical: int = 3
    successes_before_passing: int = 1
    deregister_after_seconds: float | None = None
    watch: bool = False
    # The registry chose `kind`, as it does for `auto`.
    chosen: bool = False


@dataclass(frozen=True, kw_only=True)
class Registration:
    """A registration: `service` and `instance` go into the address, the other members into the body."""

    service: str
    instance: str
    url: str
    requires: Sequence[str] = ()
    notify_url: str | None = None
    notify_secret: str | None = field(default=None, repr=False)
    heartbeat: Heartbeat = Heartbeat()
    tags: Sequence[str] = ()
    zone: str = ""
    version: str = ""
    weight: int = 100
    metadata: Mapping[str, str] = field(default_factory=dict, hash=False)
    # The run that registers; a membership makes one at each start, the same for all workers of a server.
    incarnation: str = ""

    def body(self) -> dict[str, Any]:
        """The request's body, without members that are not set."""
        body = {name: value for name, value in asdict(self).items() if value is not None}
        body["heartbeat"] = {name: value for name, value in body["heartbeat"].items() if value is not None}
        del body["service"], body["instance"]
        return body


@dataclass(frozen=True, kw_only=True)
class Provider:
    """An instance as its dependents see it.

    `suspect`: it failed while so much failed that the registry doubts its own network.
    """

    service: str
    instance: str
    url: str
    status: str = "passing"
    suspect: bool = False
    zone: str = ""
    version: str = ""
    weight: int = 100
    tags: Sequence[str] = ()
    metadata: Mapping[str, str] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, kw_only=True)
class Instance(Provider):
    """An instance as the registry keeps it."""

    status_since: datetime
    status_reason: str = ""
    requires: Sequence[str] = ()
    notify_url: str | None = None
    heartbeat: Heartbeat = Heartbeat()
    registered_at: datetime
    registered_by: str = ""
    revision: int


# Every required service has its entry, an empty one where none of its instances is offered.
ProvidersByService = Mapping[str, Sequence[Provider]]


@dataclass(frozen=True, kw_only=True)
class Registered:
    """The answer to a registration."""

    instance: Instance
    revision: int
    providers: ProvidersByService


@dataclass(frozen=True, kw_only=True)
class Resolution:
    """The providers that an instance requires, at `revision`."""

    revision: int
    providers: ProvidersByService


@dataclass(frozen=True, kw_only=True)
class InstanceList:
    revision: int
    instances: Sequence[Instance]


@dataclass(frozen=True, kw_only=True)
class ServiceSummary:
    service: str
    instances: int = 0
    starting: int = 0
    passing: int = 0
    warning: int = 0
    critical: int = 0
    maintenance: int = 0
    draining: int = 0
    requires: Sequence[str] = ()
    required_by: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True)
class ServiceList:
    revision: int
    services: Sequence[ServiceSummary]


@dataclass(frozen=True, kw_only=True)
class Removed:
    service: str
    instance: str
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class Subscriber:
    service: str
    instance: str


@dataclass(frozen=True, kw_only=True)
class Change:
    """The net change, between two revisions, of the services that `subscriber` requires."""

    subscriber: Subscriber
    from_revision: int
    to_revision: int
    # Set when an operator asks for a resync: ask for the whole.
    resync: bool = False
    added: Sequence[Provider] = ()
    changed: Sequence[Provider] = ()
    removed: Sequence[Removed] = ()


@dataclass(frozen=True, kw_only=True)
class Notification:
    """A webhook's body."""

    type: str
    timestamp: datetime
    data: Change
