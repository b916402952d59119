"""The uptime of an instance or a service by day or by hour, from probe_counts.py's counts."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import Max, QuerySet, Sum

from registry.errors import UnknownInstance, UnknownService
from registry.health.probe_counts import COLUMNS, DAY, HOUR, LONGEST, Counts
from registry.models import Instance, Requirement, Rollup
from registry.wire.bodies import tenths, timestamp

SPANS = {"day": DAY, "hour": HOUR}


@dataclass(frozen=True, kw_only=True)
class Report:
    """`periods` are the hours or days of UTC in which anything was probed, oldest first, each by its beginning."""

    total: Counts
    periods: list[tuple[datetime, Counts]]


def of_instance(service: str, instance: str, *, days: int, span_hours: int, now: datetime) -> Report:
    """The last `days` days: by day, today is the last of them; by hour, the present hour is.

    It also covers an instance that is no longer registered. Raises UnknownInstance when there are no counts either.
    """
    found = _since(_first(days, span_hours, now), span_hours).filter(service=service, instance=instance)
    report = _report(found.order_by("start_hour").values_list("start_hour", *COLUMNS))
    if not report.periods and not Instance.objects.filter(service=service, name=instance).exists():
        raise UnknownInstance(service, instance)
    return report


def of_service(service: str, *, days: int, span_hours: int, now: datetime) -> Report:
    """The same as `of_instance`, for all instances of a service together. Raises UnknownService."""
    first = _first(days, span_hours, now)
    found = _since(first, span_hours).filter(service=service)
    if span_hours == HOUR:
        # Hours are kept as long as days: with the names the index finds just these, without them it would read all.
        names = _since(first // DAY * DAY, DAY).filter(service=service).values("instance")
        found = found.filter(instance__in=names)
    report = _report(found.order_by("start_hour").values_list("start_hour").annotate(*_AGGREGATES))
    if not report.periods:
        registered = Instance.objects.filter(service=service)
        if not registered.exists() and not Requirement.objects.filter(service=service).exists():
            raise UnknownService(service)
    return report


def daily(*, days: int, now: datetime) -> dict[str, list[tuple[datetime, float]]]:
    """The uptime (0 to 1) of every service on each of the last `days` days of UTC on which it was probed."""
    found = _since(_first(days, DAY, now), DAY).order_by("service", "start_hour")
    uptimes: dict[str, list[tuple[datetime, float]]] = {}
    for service, start_hour, probes, failures in found.values_list("service", "start_hour").annotate(
        Sum("probes"), Sum("failures")
    ):
        if probes:
            day = _EPOCH + timedelta(hours=start_hour)
            uptimes.setdefault(service, []).append((day, (probes - failures) / probes))
    return uptimes


def hourly_latencies(*, hours: int, now: datetime) -> dict[str, list[float | None]]:
    """Every service's mean latency in milliseconds in each of the last `hours` hours; None where none was timed."""
    first = int(now.timestamp() // 3600) - hours + 1
    found = _since(first, HOUR).order_by().values_list("service", "start_hour")
    latencies: dict[str, list[float | None]] = {}
    for service, start_hour, timed, total in found.annotate(Sum("timed"), Sum("latency_total_ms")):
        means = latencies.setdefault(service, [None] * hours)
        if timed and start_hour - first < hours:
            means[start_hour - first] = total / timed
    return latencies


def history_body(report: Report) -> dict[str, Any]:
    periods = [{"start": timestamp(start), **_probes_body(counts)} for start, counts in report.periods]
    return {"total": _probes_body(report.total), "periods": periods}


def _probes_body(counts: Counts) -> dict[str, Any]:
    return {
        "probes": counts.probes,
        "failures": counts.failures,
        "warnings": counts.warnings,
        "uptime": counts.uptime,
        "latency_mean_ms": tenths(counts.latency_mean_ms),
        "latency_max_ms": tenths(counts.latency_max_ms if counts.timed else None),
    }


def _first(days: int, span_hours: int, now: datetime) -> int:
    """The hour since the epoch with which the first period begins."""
    latest = int(now.timestamp() // 3600) // span_hours * span_hours
    return max(0, latest - days * DAY + span_hours)


def _since(first: int, span_hours: int) -> QuerySet[Rollup]:
    return Rollup.objects.filter(span_hours=span_hours, start_hour__gte=first)


def _report(rows: Iterable[tuple[float, ...]]) -> Report:
    total = Counts()
    periods = []
    for start_hour, *values in rows:
        counts = Counts(**dict(zip(COLUMNS, values, strict=True)))  # type: ignore[arg-type]  # the database sums whole numbers
        total.add(counts)
        periods.append((_EPOCH + timedelta(hours=start_hour), counts))
    return Report(total=total, periods=periods)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# In the order of COLUMNS.
_AGGREGATES = [Max(name) if name == LONGEST else Sum(name) for name in COLUMNS]
