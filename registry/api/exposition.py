"""The registry's metrics: read from the database and Redis, the same in every process, except refusals."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from itertools import accumulate

import redis
from django.db.models import Count, Min, Q
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from config.tokens import gate
from registry import wakeups
from registry.health import leases, start_delay, watchdog
from registry.health.start_delay import BOUNDS
from registry.instances import catalogue
from registry.journal import log
from registry.models import Cursor, Delivery, Heartbeat, JournalEntry, Status
from registry.webhooks import wait_counts
from registry.wire.limits import SHOWN_STATUSES

# The window in which deliveries are counted.
RECENT = timedelta(minutes=5)


def exposition(*, now: datetime) -> bytes:
    """The metrics in Prometheus' text format 0.0.4."""
    figures = CollectorRegistry(auto_describe=False)
    figures.register(_Figures(now))
    return generate_latest(figures)


class _Figures(Collector):
    def __init__(self, now: datetime) -> None:
        self._now = now

    def collect(self) -> Iterator[Metric]:
        yield _gauge("journal_revision", "The newest revision.", log.head())
        statuses = dict.fromkeys(SHOWN_STATUSES, 0)
        for (_, status), count in catalogue.counts().items():
            statuses[status] += count
        yield _labelled("instances", "Instances by the status that is shown.", "status", statuses)
        found = Heartbeat.objects.order_by().values_list("verdict").annotate(count=Count("pk"))
        verdicts = {**dict.fromkeys(Status.values, 0), **dict(found)}
        yield _labelled("heartbeat_verdicts", "Instances by what their heartbeats say.", "verdict", verdicts)
        yield from self._probes()
        yield from self._telling()
        yield from self._signs()
        yield from self._in_redis()
        # This process's own: the requests refused by tokens' limits.
        yield from gate.current().collect()

    def _probes(self) -> Iterator[Metric]:
        now = self._now.timestamp()
        overdue = Heartbeat.objects.filter(leases.free(now=now), due_at__lt=now).aggregate(
            count=Count("pk"), first=Min("due_at")
        )
        late = now - overdue["first"] if overdue["first"] is not None else 0.0
        yield _gauge("probes_due", "Probes that are due and that nobody has begun.", overdue["count"])
        yield _gauge("probe_lateness_seconds", "Seconds since the first of them was due.", late)

    def _signs(self) -> Iterator[Metric]:
        now = self._now.timestamp()
        found = watchdog.signs(now=now)
        ages = {
            "beat": found.beat_at,
            "heartbeats": found.heartbeats_at,
            "probes": found.probes_at,
            "webhooks": found.webhooks_at,
        }
        ages_seconds = {part: watchdog.age_of(at, now=now) for part, at in ages.items() if at is not None}
        yield _labelled("sign_of_life_age_seconds", "Seconds since each part last did its work.", "part", ages_seconds)
        yield _gauge("findings", "Faults in the background's work.", len(watchdog.judge(found, now=now)))

    def _telling(self) -> Iterator[Metric]:
        head = log.head()
        lags = Q(scanned_revision__lt=head) | Q(needs_resync=True)
        cursors = Cursor.objects.aggregate(
            lagging=Count("pk", filter=lags & Q(is_stopped=False)),
            stopped=Count("pk", filter=Q(is_stopped=True)),
            current=Count("pk", filter=~lags & Q(is_stopped=False)),
            told=Min("scanned_revision", filter=Q(is_stopped=False)),
        )
        told = cursors.pop("told")
        oldest = head + 1 if told is None else min(told, head) + 1
        yield _labelled("dependents", "Dependents by the state of their deliveries.", "state", cursors)
        yield _gauge(
            "oldest_undelivered_revision", "The first revision that some dependent has yet to be told of.", oldest
        )
        entry = JournalEntry.objects.filter(revision__gte=oldest).order_by("revision").only("at").first()
        lag_seconds = max(0.0, (self._now - entry.at).total_seconds()) if entry is not None else 0.0
        yield _gauge("delivery_lag_seconds", "The age of that revision; 0 when there is none.", lag_seconds)
        recent = Delivery.objects.filter(at__gt=self._now - RECENT)
        counts = recent.aggregate(succeeded=Count("pk", filter=Q(error="")), failed=Count("pk", filter=~Q(error="")))
        yield _labelled("recent_deliveries", "Attempts within five minutes.", "outcome", counts)

    def _in_redis(self) -> Iterator[Metric]:
        try:
            backlog, delays, waits = wakeups.backlog(), start_delay.read(), wait_counts.read()
        except (redis.RedisError, OSError):
            yield _gauge("redis_up", "Whether Redis answers.", 0)
            return
        now = self._now.timestamp()
        ages = {name: max(0.0, now - since) for name, since in backlog.waiting_since.items()}
        yield _gauge("redis_up", "Whether Redis answers.", 1)
        yield _labelled("queue_length", "Messages that wait for a worker.", "queue", backlog.lengths)
        yield _gauge(
            "queue_age_seconds", "Seconds since a worker was called that has not come.", max(ages.values(), default=0)
        )
        late = CounterMetricFamily(
            "rollcall_webhooks_put_off", "Webhooks that waited for their token's limit.", labels=["token"]
        )
        for token, count in sorted(waits.items()):
            late.add_metric([token], count)
        yield late
        bounds = [*map(str, BOUNDS), "+Inf"]
        yield HistogramMetricFamily(
            "rollcall_probe_start_delay_seconds",
            "The delay between a probe's due time and its beginning.",
            buckets=list(zip(bounds, accumulate(delays.counts), strict=True)),
            sum_value=delays.total_seconds,
        )


def _gauge(name: str, description: str, value: float) -> Metric:
    return GaugeMetricFamily(f"rollcall_{name}", description, value=value)


def _labelled(name: str, description: str, label: str, values: Mapping[str, float]) -> Metric:
    family = GaugeMetricFamily(f"rollcall_{name}", description, labels=[label])
    for value, count in values.items():
        family.add_metric([value], count)
    return family
