"""What the registry knows: the services, their instances, and what happened lately."""

from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import quote

from django.conf import settings
from django.utils import timezone

from webui.upstream import exchange

RECENT_ENTRIES = 30


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
    # It failed, and the registry takes that for a fault of its own: it stays offered.
    suspect: bool = False


@dataclass(frozen=True, kw_only=True)
class Protection:
    """While it is active the registry believes no failure, because too much fails at once; `ends` says what ends it."""

    active: bool = False
    since: datetime | None = None
    reason: str = ""
    ends: str = ""
    suspects: int = 0


@dataclass(frozen=True, kw_only=True)
class Service:
    service: str
    requires: list[str] = field(default_factory=list)


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
class Snapshot:
    """The registry's whole picture, as it was at `taken_at`; the journal's latest entries first."""

    taken_at: datetime
    revision: int
    services: tuple[Service, ...]
    instances: tuple[Instance, ...]
    entries: tuple[Entry, ...]
    protection: Protection = Protection()

    def of(self, service: str) -> tuple[Instance, ...]:
        return tuple(instance for instance in self.instances if instance.service == service)


@dataclass(frozen=True, kw_only=True)
class _Services:
    revision: int
    services: list[Service]


@dataclass(frozen=True, kw_only=True)
class _Instances:
    instances: list[Instance]


@dataclass(frozen=True, kw_only=True)
class _Journal:
    entries: list[Entry]


_last_snapshot: Snapshot | None = None


def snapshot() -> Snapshot:
    """Raises UpstreamDown; then `last_snapshot` is what was known before."""
    global _last_snapshot
    listed = _ask("/v1/services", _Services)
    instances = [instance for service in listed.services for instance in _instances(service.service)]
    _last_snapshot = Snapshot(
        taken_at=timezone.now(),
        revision=listed.revision,
        services=tuple(listed.services),
        instances=tuple(instances),
        entries=_recent_entries(listed.revision),
        protection=_ask("/v1/protection", Protection),
    )
    return _last_snapshot


def last_snapshot() -> Snapshot | None:
    return _last_snapshot


def _instances(service: str) -> list[Instance]:
    return _ask(f"/v1/services/{quote(service, safe='')}/instances", _Instances).instances


def _recent_entries(revision: int) -> tuple[Entry, ...]:
    parameters = {"after": str(max(0, revision - RECENT_ENTRIES)), "limit": str(RECENT_ENTRIES)}
    return tuple(reversed(_ask("/v1/journal", _Journal, parameters).entries))


def _ask(path: str, answer: type[exchange.Answer], parameters: dict[str, str] | None = None) -> exchange.Answer:
    token = settings.ROLLCALL["TOKEN"]
    return exchange.ask(exchange.Question(service=exchange.REGISTRY, path=path, token=token, params=parameters), answer)
