"""History: what an instance's probes found, hour by hour and day by day, and the uptime that follows.

The results of probes are counted in memory and each instance's counts are written once a minute: one write for six
probes at the usual interval. A worker that is killed takes at most WRITE_AFTER_SECONDS of its counts with it, and no
verdict; one that is stopped writes them first. Beats are written with their transaction.
"""

import logging
import threading
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from operator import attrgetter
from typing import NamedTuple, Protocol

from django.db import DatabaseError, connection

from registry.database import bulk
from registry.health.leases import Due
from registry.health.verdict import Finding

HOUR, DAY = 1, 24
WRITE_AFTER_SECONDS = 60.0
# Two rows of ten parameters each, of which SQLite takes 32,766 in a statement.
INSTANCES_PER_STATEMENT = 1000

_FAILED = (Finding.FAILURE, Finding.DEAD)
_ADDITIVE = ("probes", "failures", "warnings", "timed", "latency_total_ms")
# The columns of Counts, in its order.
COLUMNS = (*_ADDITIVE, "latency_max_ms")
_values = attrgetter(*COLUMNS)
# The columns of a row, in its order, with PostgreSQL's types.
_TYPES = {
    "span_hours": "smallint",
    "service": "text",
    "instance": "text",
    "start_hour": "int",
    **dict.fromkeys(("probes", "failures", "warnings", "timed"), "int"),
    **dict.fromkeys(("latency_total_ms", "latency_max_ms"), "float8"),
}
_ADDED = ", ".join(f"{name} = kept.{name} + excluded.{name}" for name in _ADDITIVE)

logger = logging.getLogger(__name__)


class Seen(Protocol):
    """What is counted of a result (heartbeats.Result)."""

    @property
    def due(self) -> Due: ...
    @property
    def finding(self) -> Finding: ...
    @property
    def latency_ms(self) -> float | None: ...


class Period(NamedTuple):
    """`span_hours` hours of one instance, from `start_hour` hours since the epoch."""

    span_hours: int
    service: str
    instance: str
    start_hour: int


@dataclass(slots=True)
class Counts:
    """What a number of probes found; the latencies are of those that did not fail."""

    probes: int = 0
    failures: int = 0
    warnings: int = 0
    timed: int = 0
    latency_total_ms: float = 0.0
    latency_max_ms: float = 0.0

    @property
    def uptime(self) -> float | None:
        """The share of the probes that did not fail; None when there were none."""
        return (self.probes - self.failures) / self.probes if self.probes else None

    @property
    def latency_mean_ms(self) -> float | None:
        return self.latency_total_ms / self.timed if self.timed else None

    def see(self, result: Seen) -> None:
        """Count one more result, which `is_counted`."""
        self.probes += 1
        if result.finding in _FAILED:
            self.failures += 1
            return
        self.warnings += result.finding is Finding.WARNING
        if result.latency_ms is not None:
            self.timed += 1
            self.latency_total_ms += result.latency_ms
            self.latency_max_ms = max(self.latency_max_ms, result.latency_ms)

    def add(self, other: "Counts") -> None:
        self.probes += other.probes
        self.failures += other.failures
        self.warnings += other.warnings
        self.timed += other.timed
        self.latency_total_ms += other.latency_total_ms
        self.latency_max_ms = max(self.latency_max_ms, other.latency_max_ms)


class Unwritten:
    """What this process has counted and not yet written, what was begun first in front."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: dict[Period, tuple[float, Counts]] = {}

    def see(self, results: Iterable[Seen], *, now: float) -> None:
        hour = int(now // 3600)
        with self._lock:
            for result in results:
                if is_counted(result):
                    period = Period(HOUR, result.due.service, result.due.instance, hour)
                    self._counts.setdefault(period, (now, Counts()))[1].see(result)

    def take(self, *, begun_by: float, limit: int) -> dict[Period, Counts]:
        with self._lock:
            taken: dict[Period, Counts] = {}
            for period, (begun_at, counts) in self._counts.items():
                if begun_at > begun_by or len(taken) == limit:
                    break
                taken[period] = counts
            for period in taken:
                del self._counts[period]
        return taken

    def flush(self, *, begun_by: float, now: float) -> None:
        while taken := self.take(begun_by=begun_by, limit=INSTANCES_PER_STATEMENT):
            try:
                write(taken)
            except DatabaseError:
                logger.exception("the counts of %d instances wait for the database", len(taken))
                self._put_back(taken, now=now)
                return

    def _put_back(self, taken: Mapping[Period, Counts], *, now: float) -> None:
        with self._lock:
            for period, counts in taken.items():
                self._counts.setdefault(period, (now, Counts()))[1].add(counts)


@cache
def unwritten() -> Unwritten:
    return Unwritten()


def is_counted(result: Seen) -> bool:
    """Not what is our own fault, nor a failure of an instance that protection keeps because it is probably so."""
    if result.finding is Finding.INCONCLUSIVE:
        return False
    return not (result.due.is_suspect and result.finding in _FAILED)


def observe(results: Iterable[Seen], *, now: float) -> None:
    """Count these results in memory; `flush` writes them."""
    unwritten().see(results, now=now)


def flush(*, now: float, is_last: bool = False) -> None:
    """Write what has waited long enough, or the last time all of it. Without a database it waits longer."""
    unwritten().flush(begun_by=now if is_last else now - WRITE_AFTER_SECONDS, now=now)


def record(results: Iterable[Seen], *, now: float) -> None:
    """Count these results and write them at once, in the caller's transaction."""
    counted = Unwritten()
    counted.see(results, now=now)
    while taken := counted.take(begun_by=now, limit=INSTANCES_PER_STATEMENT):
        write(taken)


def write(hours: Mapping[Period, Counts]) -> None:
    """Add the counts to their hours and days, with one statement."""
    # In one order everywhere, so that two processes do not wait for each other.
    rows = sorted(_with_days(hours).items())
    if not rows:
        return
    source, parameters = bulk.relation(_TYPES, [(*period, *_values(counts)) for period, counts in rows])
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            INSERT INTO registry_rollup AS kept ({", ".join(_TYPES)}) {source}
            ON CONFLICT (span_hours, service, instance, start_hour) DO UPDATE SET
                {_ADDED},
                latency_max_ms = CASE WHEN excluded.latency_max_ms > kept.latency_max_ms
                    THEN excluded.latency_max_ms ELSE kept.latency_max_ms END
            """,
            parameters,
        )


def _with_days(hours: Mapping[Period, Counts]) -> dict[Period, Counts]:
    days: defaultdict[Period, Counts] = defaultdict(Counts)
    for period, counts in hours.items():
        days[period._replace(span_hours=DAY, start_hour=period.start_hour // DAY * DAY)].add(counts)
    return {**hours, **days}
