from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from registry import retention
from registry.errors import UnknownInstance, UnknownService
from registry.health import probe_counts, uptime
from registry.health.probe_counts import DAY, HOUR, Counts, Period
from registry.models import Rollup
from tests import factories
from tests.registry.conftest import ClientOf

pytestmark = pytest.mark.django_db


def fill(service: str, *instances: str, days: int, now: datetime, failures: int = 0) -> None:
    """360 probes in each of the last hours."""
    latest = int(now.timestamp() // 3600)
    counts = Counts(probes=360, failures=failures, timed=360 - failures, latency_total_ms=720.0, latency_max_ms=9.0)
    for instance in instances:
        probe_counts.write({Period(HOUR, service, instance, latest - ago): counts for ago in range(days * 24)})


def test_ninety_days_are_ninety_rows_with_their_total(now: datetime) -> None:
    fill("billing", "billing-1", days=92, now=now, failures=36)

    report = uptime.of_instance("billing", "billing-1", days=90, span_hours=DAY, now=now)

    assert len(report.periods) == 90
    first, last = report.periods[0], report.periods[-1]
    assert (first[0], last[0]) == (datetime(2026, 8, 26, tzinfo=now.tzinfo), datetime(2026, 11, 23, tzinfo=now.tzinfo))
    assert report.total.probes == 360 * (89 * 24 + 13)
    assert report.total.uptime == pytest.approx(0.9)
    assert report.total.latency_max_ms == 9


def test_by_hour_the_present_one_is_the_last(now: datetime) -> None:
    fill("billing", "billing-1", days=3, now=now)

    report = uptime.of_instance("billing", "billing-1", days=1, span_hours=HOUR, now=now)

    assert [start for start, _ in report.periods] == [now - timedelta(hours=ago) for ago in reversed(range(24))]


@pytest.mark.parametrize("span_hours", [HOUR, DAY])
def test_a_service_is_all_its_instances(now: datetime, span_hours: int) -> None:
    fill("billing", "billing-1", "billing-2", days=2, now=now)
    fill("billing", "billing-3", days=1, now=now, failures=180)
    fill("logsvc", "logsvc-1", days=2, now=now)

    total = uptime.of_service("billing", days=3, span_hours=span_hours, now=now).total

    assert (total.probes, total.failures) == (360 * 24 * 5, 180 * 24)


def test_latencies_are_answered_to_a_tenth_of_a_millisecond(now: datetime) -> None:
    counts = Counts(probes=3, timed=3, latency_total_ms=5.0, latency_max_ms=912.4321)
    probe_counts.write({Period(HOUR, "billing", "billing-1", int(now.timestamp() // 3600)): counts})

    body = uptime.history_body(uptime.of_instance("billing", "billing-1", days=1, span_hours=HOUR, now=now))

    for probes in (body["total"], *body["periods"]):
        assert (probes["latency_mean_ms"], probes["latency_max_ms"]) == (1.7, 912.4)


def test_the_history_outlives_the_registration(now: datetime) -> None:
    fill("billing", "billing-1", days=1, now=now)

    assert uptime.of_instance("billing", "billing-1", days=90, span_hours=DAY, now=now).total.probes == 24 * 360


def test_what_was_never_seen_is_unknown_and_what_was_not_probed_yet_is_empty(now: datetime) -> None:
    factories.register("billing", now=now, requires=["logsvc"])

    assert uptime.of_instance("billing", "billing-1", days=90, span_hours=DAY, now=now).total.uptime is None
    assert uptime.of_service("logsvc", days=90, span_hours=DAY, now=now).periods == []
    with pytest.raises(UnknownInstance):
        uptime.of_instance("billing", "billing-2", days=90, span_hours=DAY, now=now)
    with pytest.raises(UnknownService):
        uptime.of_service("mail", days=90, span_hours=DAY, now=now)


@pytest.mark.parametrize(
    ("name", "by"), [("instances/billing-1/", "day"), ("instances/billing-1/", "hour"), ("", "day"), ("", "hour")]
)
def test_the_history_is_one_query_that_finds_its_rows_by_the_key(
    client_of: ClientOf, now: datetime, name: str, by: str
) -> None:
    for service in ("billing", "logsvc", "webui", "grading", "mail"):
        fill(service, f"{service}-1", days=10, now=datetime.now(now.tzinfo))
    client = client_of("read")

    with CaptureQueriesContext(connection) as queries:
        assert client.get(f"/v1/services/billing/{name}history?days=90&by={by}").status_code == 200

    asked = [each["sql"] for each in queries if "registry_rollup" in each["sql"]]
    assert len(asked) == 1
    assert _finds_by_key(asked[0])


def test_a_quarter_of_one_instance_costs_the_same_beside_a_hundred_others(now: datetime) -> None:
    fill("billing", "billing-1", days=90, now=now)
    alone = _work(now)
    fill("billing", *(f"other-{number}" for number in range(100)), days=5, now=now)
    fill("zebra", "zebra-1", days=90, now=now)

    # A step or two more: the tree has grown.
    assert _work(now) <= alone + 10


def test_what_is_old_is_forgotten_in_batches_and_the_rest_kept(now: datetime, settings: Any) -> None:
    fill("billing", "billing-1", days=5, now=now)
    settings.HISTORY_RETENTION_DAYS = 3

    removed = retention.prune(now=now, batch=7)["roll-ups"]

    latest = int(now.timestamp() // 3600)
    hours = Rollup.objects.filter(span_hours=HOUR)
    assert {each.start_hour for each in hours} == set(range(latest - 72, latest + 1))
    assert Rollup.objects.filter(span_hours=DAY).count() == 3
    assert removed == 120 - 73 + 3


def test_what_is_old_is_found_by_its_key_too(now: datetime) -> None:
    fill("billing", "billing-1", "billing-2", days=60, now=now)
    fill("logsvc", "logsvc-1", days=110, now=now)

    with CaptureQueriesContext(connection) as queries:
        retention.prune(now=now)

    (removal, *_) = [each["sql"] for each in queries if "DELETE FROM registry_rollup" in each["sql"]]
    plan = _plan(removal)
    assert "rollup_start" in plan
    by_key = "registry_rollup_pkey" if connection.vendor == "postgresql" else "INTEGER PRIMARY KEY (rowid=?)"
    assert by_key in plan


def _finds_by_key(sql: str) -> bool:
    plan = _plan(sql)
    if connection.vendor == "postgresql":
        return "registry_rollup_pkey" in plan and "Seq Scan" not in plan
    return "SEARCH registry_rollup USING INDEX sqlite_autoindex" in plan and "SCAN" not in plan


def _plan(sql: str) -> str:
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # So few rows it would rather read all of.
            cursor.execute("ANALYZE registry_rollup")
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute("SET LOCAL enable_hashjoin = off")
            cursor.execute("SET LOCAL enable_mergejoin = off")
        cursor.execute(f"{'EXPLAIN' if connection.vendor == 'postgresql' else 'EXPLAIN QUERY PLAN'} {sql}")
        return "\n".join(str(row[-1]) for row in cursor.fetchall())


def _work(now: datetime) -> int:
    """The cost of the query: steps of SQLite's machine, or rows that PostgreSQL looked at."""
    steps = count(1)
    with CaptureQueriesContext(connection) as queries:
        if connection.vendor == "sqlite":
            # Called at each step; anything but None would end the query.
            connection.connection.set_progress_handler(lambda: next(steps) and None, 1)
        uptime.of_instance("billing", "billing-1", days=90, span_hours=DAY, now=now)
    if connection.vendor == "sqlite":
        connection.connection.set_progress_handler(None, 1)
        return next(steps)
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {queries[0]['sql']}")
        return sum(_looked_at(cursor.fetchone()[0][0]["Plan"]))


def _looked_at(plan: dict[str, Any]) -> Iterator[int]:
    yield plan["Actual Rows"] + plan.get("Rows Removed by Filter", 0)
    for each in plan.get("Plans", ()):
        yield from _looked_at(each)
