"""The status board: every service's state, heartbeats, uptime and latency, read with a few statements.

The uptimes and latencies of 500 services are 57,000 figures, of which new ones come once a minute: they are kept as the
JSON that the board is answered with.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime

import msgspec
from django.core.cache import cache
from django.db.models import Avg, Max, Q

from registry.health import uptime
from registry.instances import standing
from registry.instances.standing import Standing
from registry.models import Heartbeat, Instance
from registry.wire.bodies import tenths

DAYS = 90
HOURS = 24
# Probe counts are written once a minute: reading them more often finds nothing new.
UPTIME_SECONDS = 60.0
# Where a failure was quick to come, that says nothing of how quickly the service answers.
_LATENCY = Avg("latency_ms", filter=Q(failures=0))
_CACHE_KEY = "registry.health.board"


@dataclass(kw_only=True)
class Row:
    """One service: `days` is its uptime (0 to 1) by day of UTC, `latencies` its mean milliseconds by hour, as JSON."""

    standing: Standing
    last_heartbeat_at: datetime | None = None
    latency_ms: float | None = None
    tags: set[str] = field(default_factory=set)
    zones: set[str] = field(default_factory=set)
    days: bytes = b"[]"
    latencies: bytes = b"[]"


def rows(*, now: datetime) -> list[Row]:
    """The rows of every registered or required service, by name."""
    standings, _ = standing.standings()
    found = {each.summary.service: Row(standing=each) for each in standings}
    newest = Heartbeat.objects.order_by().values_list("instance__service")
    for service, last_at, latency_ms in newest.annotate(last=Max("last_at"), mean=_LATENCY):
        if service in found:
            found[service].last_heartbeat_at = None if last_at is None else datetime.fromtimestamp(last_at, UTC)
            found[service].latency_ms = latency_ms
    for service, tags, zone in Instance.objects.order_by().values_list("service", "tags", "zone").distinct():
        if service in found:
            found[service].tags.update(tags)
            found[service].zones.update({zone} - {""})
    history = _history(now=now)
    for service, row in found.items():
        row.days, row.latencies = history.get(service, (row.days, row.latencies))
    return list(found.values())


def _history(*, now: datetime) -> dict[str, tuple[bytes, bytes]]:
    """The uptimes and the latencies of each service."""
    known: dict[str, tuple[bytes, bytes]] | None = cache.get(_CACHE_KEY)
    if known is None:
        days, latencies = uptime.daily(days=DAYS, now=now), uptime.hourly_latencies(hours=HOURS, now=now)
        known = {
            service: (
                msgspec.json.encode([(day.date(), round(share, 5)) for day, share in days.get(service, ())]),
                msgspec.json.encode([tenths(each) for each in latencies.get(service, ())]),
            )
            for service in days.keys() | latencies.keys()
        }
        cache.set(_CACHE_KEY, known, UPTIME_SECONDS)
    return known
