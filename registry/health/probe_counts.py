"""The results of an instance's probes, counted by the hour and by the day, for its uptime.

Results are counted in memory, and each instance's counts are written once a minute: one write for six probes at the
usual interval. A killed worker loses at most WRITE_AFTER_SECONDS of its counts, and no verdict; a stopped one writes
them first. Beats are written with their transaction.
"""

import logging
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from operator import attrgetter
from typing import NamedTuple

from django.db import DatabaseError, connection

from registry.database import bulk
from registry.health.probe import FAILED, Finding, Result

HOUR, DAY = 1, 24
WRITE_AFTER_SECONDS = 60.0
# Two rows of ten parameters each, of which SQLite takes 32,766 in a statement.
INSTANCES_PER_STATEMENT = 1000

logger = logging.getLogger(__name__)


class Period(NamedTuple):
    """`span_hours` hours of one instance, from `start_hour` hours since the epoch."""

    span_hours: int
    service: str
    instance: str
    start_hour: int


@dataclass(slots=True)
class Counts:
    """The results of a number of probes; the latencies are those of the ones that did not fail."""

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

    def see(self, result: Result) -> None:
        """Count one more result, which `is_counted`."""
        self.probes += 1
        if result.finding in FAILED:
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


# The columns of Counts, and PostgreSQL's type of each column of a row, in the order of Period and Counts.
COLUMNS = tuple(field.name for field in fields(Counts))
LONGEST = "latency_max_ms"
_values = attrgetter(*COLUMNS)
_SQL = {int: "int", float: "float8"}
_TYPES = {
    "span_hours": "smallint",
    "service": "text",
    "instance": "text",
    "start_hour": "int",
    **{name: _SQL[type(value)] for name, value in zip(COLUMNS, _values(Counts()), strict=True)},
}
assert tuple(_TYPES) == (*Period._fields, *COLUMNS)
_ADDED = ", ".join(f"{name} = kept.{name} + excluded.{name}" for name in COLUMNS if name != LONGEST)


class Unwritten:
    """The counts that this process has not written yet, oldest first."""

    def __init__(self, store: Callable[[Mapping[Period, Counts]], None] | None = None) -> None:
        self._store = store or write
        self._lock = threading.Lock()
        self._counts: dict[Period, tuple[float, Counts]] = {}

    def see(self, results: Iterable[Result], *, now: float) -> None:
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

    def flush(self, *, now: float, is_last: bool = False) -> None:
        """Write the counts that have waited long enough, or at the end all. Without a database they wait longer."""
        begun_by = now if is_last else now - WRITE_AFTER_SECONDS
        while taken := self.take(begun_by=begun_by, limit=INSTANCES_PER_STATEMENT):
            try:
                self._store(taken)
            except DatabaseError:
                logger.exception("The counts of %d instances wait for the database", len(taken))
                with self._lock:
                    for period, counts in taken.items():
                        self._counts.setdefault(period, (now, Counts()))[1].add(counts)
                return


def is_counted(result: Result) -> bool:
    """Whether the result is about the instance: not our own fault, nor taken for that by protection."""
    if result.finding is Finding.INCONCLUSIVE:
        return False
    return not (result.due.is_suspect and result.finding in FAILED)


def record(results: Iterable[Result], *, now: float, most_at_once: int = INSTANCES_PER_STATEMENT) -> None:
    """Count these results and write them at once, in the caller's transaction."""
    counted = Unwritten()
    counted.see(results, now=now)
    while taken := counted.take(begun_by=now, limit=most_at_once):
        write(taken)


def write(hours: Mapping[Period, Counts]) -> None:
    """Add the counts to their hours and days, with one statement."""
    days: defaultdict[Period, Counts] = defaultdict(Counts)
    for period, counts in hours.items():
        days[period._replace(span_hours=DAY, start_hour=period.start_hour // DAY * DAY)].add(counts)
    # In one order everywhere, so that two processes do not deadlock.
    rows = sorted({**hours, **days}.items())
    if not rows:
        return
    source, parameters = bulk.relation(_TYPES, [(*period, *_values(counts)) for period, counts in rows])
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            INSERT INTO registry_rollup AS kept ({", ".join(_TYPES)}) {source}
            ON CONFLICT (span_hours, service, instance, start_hour) DO UPDATE SET
                {_ADDED},
                {LONGEST} = CASE WHEN excluded.{LONGEST} > kept.{LONGEST}
                    THEN excluded.{LONGEST} ELSE kept.{LONGEST} END
            """,
            parameters,
        )
