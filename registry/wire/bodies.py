"""How instances and journal entries look on the wire (docs/protocol.md), and ages to people."""

import hashlib
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import msgspec

from registry.health.probe_counts import Counts
from registry.health.uptime import Report
from registry.instances.catalogue import Summary
from registry.models import Delivery, Heartbeat, Instance, JournalEntry, Maintenance, Status

SHOWN_STATUSES = (*Status.values, "maintenance", "draining")
_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))
_NONE_SHOWN = dict.fromkeys(SHOWN_STATUSES, 0)


def instance_body(instance: Instance) -> dict[str, Any]:
    return {
        **provider_body(instance),
        "health": instance.status,
        "status_since": timestamp(instance.shown_since),
        "status_reason": instance.shown_reason,
        "draining_until": instance.draining_until and timestamp(instance.draining_until),
        "requires": instance.requires,
        "notify_url": instance.notify_url,
        "heartbeat": {
            "kind": instance.heartbeat_kind,
            "url": instance.heartbeat_url,
            "interval_seconds": instance.interval_seconds,
            "timeout_seconds": instance.timeout_seconds,
            "warn_after_seconds": instance.warn_after_seconds,
            "failures_before_critical": instance.failures_before_critical,
            "successes_before_passing": instance.successes_before_passing,
            "deregister_after_seconds": instance.deregister_after_seconds,
        },
        "registered_at": timestamp(instance.registered_at),
        "registered_by": instance.registered_by,
        "revision": instance.revision,
    }


def provider_body(instance: Instance) -> dict[str, Any]:
    """What a dependent needs to know of an instance."""
    return {
        "service": instance.service,
        "instance": instance.name,
        "url": instance.url,
        "status": instance.shown_status,
        "suspect": instance.is_suspect,
        "zone": instance.zone,
        "version": instance.version,
        "weight": instance.weight,
        "tags": instance.tags,
        "metadata": instance.metadata,
    }


def offer_digest(instance: Instance) -> str:
    """What distinguishes one offer from another; empty when the instance is not offered."""
    if not instance.is_offered:
        return ""
    encoded = msgspec.json.encode(provider_body(instance), order="deterministic")
    return hashlib.sha256(encoded).hexdigest()[:16]


def summary_body(summary: Summary) -> dict[str, Any]:
    return {
        "service": summary.service,
        "instances": sum(summary.counts.values()),
        **_NONE_SHOWN,
        **summary.counts,
        "requires": sorted(summary.requires),
        "required_by": sorted(summary.required_by),
    }


def entry_body(entry: JournalEntry) -> dict[str, Any]:
    return {
        "revision": entry.revision,
        "at": timestamp(entry.at),
        "change": entry.change,
        "service": entry.service,
        "instance": entry.instance,
        "author": entry.author,
        "reason": entry.reason,
    }


def delivery_body(delivery: Delivery) -> dict[str, Any]:
    return {
        "id": delivery.pk,
        "service": delivery.service,
        "instance": delivery.instance,
        "at": timestamp(delivery.at),
        "webhook_id": delivery.webhook_id,
        "from_revision": delivery.from_revision,
        "to_revision": delivery.to_revision,
        "status_code": delivery.status_code,
        "duration_ms": tenths(delivery.duration_ms),
        "error": delivery.error,
        "answer": delivery.answer,
    }


def heartbeat_body(heartbeat: Heartbeat) -> dict[str, Any]:
    return {
        "instance": heartbeat.instance.name,
        "last_heartbeat_at": _moment(heartbeat.last_at),
        "last_passed_at": _moment(heartbeat.passed_at),
        "latency_ms": tenths(heartbeat.latency_ms),
        "consecutive_failures": heartbeat.failures,
        "next_due_at": _moment(heartbeat.due_at),
        "detail": heartbeat.detail,
    }


def maintenance_body(maintenance: Maintenance) -> dict[str, Any]:
    """Of a whole service where `instance` is empty."""
    return {
        "service": maintenance.service,
        "instance": maintenance.instance,
        "reason": maintenance.reason,
        "author": maintenance.author,
        "until": maintenance.until and timestamp(maintenance.until),
    }


def history_body(report: Report) -> dict[str, Any]:
    periods = [{"start": timestamp(start), **_probes_body(counts)} for start, counts in report.periods]
    return {"total": _probes_body(report.total), "periods": periods}


@lru_cache(maxsize=10_000)
def timestamp(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _moment(seconds: float | None) -> str | None:
    return None if seconds is None else timestamp(datetime.fromtimestamp(seconds, UTC))


def age(since: datetime, *, now: datetime) -> str:
    """In the largest unit of which there is one: an outage of some seconds is no outage of 0 minutes."""
    seconds = max(0.0, (now - since).total_seconds())
    size, unit = next((size, unit) for size, unit in _UNITS if seconds >= size or size == 1)
    return f"{seconds // size:.0f} {unit}"


def tenths(milliseconds: float | None) -> float | None:
    return None if milliseconds is None else round(milliseconds, 1)


def _probes_body(counts: Counts) -> dict[str, Any]:
    return {
        "probes": counts.probes,
        "failures": counts.failures,
        "warnings": counts.warnings,
        "uptime": counts.uptime,
        "latency_mean_ms": tenths(counts.latency_mean_ms),
        "latency_max_ms": tenths(counts.latency_max_ms if counts.timed else None),
    }
