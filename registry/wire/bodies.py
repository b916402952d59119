"""Turns models into the shapes of answers.py (docs/protocol.md)."""

import hashlib
import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Protocol, cast

import msgspec

from registry.models import Delivery, Heartbeat, Instance, Maintenance
from registry.wire import answers
from registry.wire.answers import ChangeName, Health
from registry.wire.declaration import HeartbeatDeclaration, Kind
from registry.wire.limits import ShownStatus

_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))


def provider(instance: Instance) -> answers.Provider:
    """An instance as its dependents see it."""
    return answers.Provider(
        service=instance.service,
        instance=instance.name,
        url=instance.url,
        status=cast("ShownStatus", instance.shown_status),
        suspect=instance.is_suspect,
        zone=instance.zone,
        version=instance.version,
        weight=instance.weight,
        tags=instance.tags,
        metadata=instance.metadata,
    )


def registered_instance(instance: Instance) -> answers.RegisteredInstance:
    return answers.RegisteredInstance(
        service=instance.service,
        instance=instance.name,
        dns_label=dns_label(instance.name),
        url=instance.url,
        status=cast("ShownStatus", instance.shown_status),
        suspect=instance.is_suspect,
        zone=instance.zone,
        version=instance.version,
        weight=instance.weight,
        tags=instance.tags,
        metadata=instance.metadata,
        health=cast("Health", instance.status),
        status_since=timestamp(instance.shown_since),
        status_reason=instance.shown_reason,
        draining_until=None if instance.draining_until is None else timestamp(instance.draining_until),
        requires=instance.requires,
        notify_url=instance.notify_url,
        heartbeat=HeartbeatDeclaration(
            kind=cast("Kind", instance.heartbeat_kind),
            url=instance.heartbeat_url,
            interval_seconds=instance.interval_seconds,
            timeout_seconds=instance.timeout_seconds,
            warn_after_seconds=instance.warn_after_seconds,
            failures_before_critical=instance.failures_before_critical,
            successes_before_passing=instance.successes_before_passing,
            deregister_after_seconds=instance.deregister_after_seconds,
            watch=instance.is_watched,
            chosen=instance.is_kind_chosen and instance.heartbeat_kind != "auto",
        ),
        registered_at=timestamp(instance.registered_at),
        registered_by=instance.registered_by,
        revision=instance.revision,
    )


def offers_of(providers: dict[str, list[Instance]]) -> dict[str, list[answers.Provider]]:
    return {service: [provider(each) for each in offered] for service, offered in providers.items()}


def provider_body(instance: Instance) -> dict[str, Any]:
    return _members(provider(instance))


def instance_body(instance: Instance) -> dict[str, Any]:
    return _members(registered_instance(instance))


def offer_digest(instance: Instance) -> str:
    """A digest that tells one offer from another; empty when the instance is not offered."""
    if not instance.is_offered:
        return ""
    encoded = msgspec.json.encode(provider(instance), order="sorted")
    return hashlib.sha256(encoded).hexdigest()[:16]


def maintenance_body(maintenance: Maintenance) -> dict[str, Any]:
    """Maintenance, of a whole service where `instance` is empty."""
    return {
        "service": maintenance.service,
        "instance": maintenance.instance,
        "reason": maintenance.reason,
        "author": maintenance.author,
        "until": maintenance.until and timestamp(maintenance.until),
    }


@lru_cache(maxsize=10_000)
def timestamp(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _moment(seconds: float | None) -> str | None:
    return None if seconds is None else timestamp(datetime.fromtimestamp(seconds, UTC))


def age(since: datetime, *, now: datetime) -> str:
    """An age in its largest unit: an outage of some seconds is not one of 0 minutes."""
    seconds = max(0.0, (now - since).total_seconds())
    size, unit = next((size, unit) for size, unit in _UNITS if seconds >= size or size == 1)
    return f"{seconds // size:.0f} {unit}"


def tenths(milliseconds: float | None) -> float | None:
    return None if milliseconds is None else round(milliseconds, 1)


class JournalRow(Protocol):
    """An entry of the journal as readers are shown it, however it was read."""

    @property
    def revision(self) -> int: ...
    @property
    def at(self) -> datetime: ...
    @property
    def change(self) -> str: ...
    @property
    def service(self) -> str: ...
    @property
    def instance(self) -> str: ...
    @property
    def author(self) -> str: ...
    @property
    def reason(self) -> str: ...


def journal_entry(entry: JournalRow) -> answers.Entry:
    return answers.Entry(
        revision=entry.revision,
        at=timestamp(entry.at),
        change=cast("ChangeName", entry.change),
        service=entry.service,
        instance=entry.instance,
        author=entry.author,
        reason=entry.reason,
    )


def entry_body(entry: JournalRow) -> dict[str, Any]:
    return _members(journal_entry(entry))


def delivery_body(delivery: Delivery) -> dict[str, Any]:
    return _members(
        answers.DeliveryAttempt(
            id=delivery.pk,
            service=delivery.service,
            instance=delivery.instance,
            at=timestamp(delivery.at),
            webhook_id=delivery.webhook_id,
            from_revision=delivery.from_revision,
            to_revision=delivery.to_revision,
            status_code=delivery.status_code,
            duration_ms=round(delivery.duration_ms, 1),
            error=delivery.error,
            answer=delivery.answer,
        )
    )


def heartbeat_body(heartbeat: Heartbeat) -> dict[str, Any]:
    return _members(
        answers.HeartbeatState(
            instance=heartbeat.instance.name,
            last_heartbeat_at=_moment(heartbeat.last_at),
            last_passed_at=_moment(heartbeat.passed_at),
            latency_ms=None if heartbeat.failures else tenths(heartbeat.latency_ms),
            consecutive_failures=heartbeat.failures,
            next_due_at=timestamp(datetime.fromtimestamp(heartbeat.due_at, UTC)),
            detail=heartbeat.detail,
        )
    )


@lru_cache(maxsize=10_000)
def dns_label(name: str) -> str:
    """An instance's name as a DNS label: itself where it is one, else its closest form and a hash of it."""
    if _LABEL.fullmatch(name):
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:8]
    plain = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:54].rstrip("-")
    return f"{plain}-{digest}" if plain else digest


def _members(shape: msgspec.Struct) -> dict[str, Any]:
    members: dict[str, Any] = msgspec.to_builtins(shape)
    return members
