"""The status board: every service's state, heartbeats, uptime and latency, read with a few statements."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

from django.core.cache import cache
from django.db.models import Avg, Max

from registry.health import uptime
from registry.instances import standing
from registry.instances.standing import Standing
from registry.models import Heartbeat, Instance

DAYS = 90
HOURS = 24
# Probe counts are written once a minute: reading them more often finds nothing new.
UPTIME_SECONDS = 60.0
_CACHE_KEY = "registry.health.board"


@dataclass(kw_only=True)
class Row:
    """One service: `days` is its uptime (0 to 1) by day of UTC, `latencies` its mean milliseconds by hour."""

    standing: Standing
    last_heartbeat_at: datetime | None = None
    latency_ms: float | None = None
    tags: set[str] = field(default_factory=set)
    zones: set[str] = field(default_factory=set)
    days: list[tuple[datetime, float]] = field(default_factory=list)
    latencies: list[float | None] = field(default_factory=list)


def rows(*, now: datetime) -> list[Row]:
    """The rows of every registered or required service, by name."""
    standings, _ = standing.standings()
    found = {each.summary.service: Row(standing=each) for each in standings}
    newest = Heartbeat.objects.order_by().values_list("instance__service")
    for service, last_at, latency_ms in newest.annotate(Max("last_at"), Avg("latency_ms")):
        if service in found:
            found[service].last_heartbeat_at = None if last_at is None else datetime.fromtimestamp(last_at, UTC)
            found[service].latency_ms = latency_ms
    for service, tags, zone in Instance.objects.order_by().values_list("service", "tags", "zone").distinct():
        if service in found:
            found[service].tags.update(tags)
            found[service].zones.update({zone} - {""})
    history = cache.get(_CACHE_KEY)
    if history is None:
        history = (uptime.daily(days=DAYS, now=now), uptime.hourly_latencies(hours=HOURS, now=now))
        cache.set(_CACHE_KEY, history, UPTIME_SECONDS)
    days, latencies = history
    for service, row in found.items():
        row.days, row.latencies = days.get(service, []), latencies.get(service, [])
    return list(found.values())
