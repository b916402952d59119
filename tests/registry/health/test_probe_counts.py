import time
from collections.abc import Mapping, Sequence
from datetime import datetime

import pytest
from django.db import DatabaseError
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.health import leases, probe_counts
from registry.health import results as heartbeats
from registry.health.probe import Finding, Result
from registry.health.probe_counts import DAY, HOUR, WRITE_AFTER_SECONDS, Counts, Period, Unwritten
from registry.health.watchdog import Signer
from registry.health.worker import HeartbeatWorker
from registry.instances import registration
from registry.models import Instance, InstanceKey, Rollup, Status
from tests import factories
from tests.registry.health.claims import due
from tests.registry.taken import Taken

FAILED = (Finding.FAILURE, Finding.DEAD)

findings = st.sampled_from(Finding)
latencies = st.none() | st.integers(0, 5000).map(float)


def result(finding: Finding = Finding.SUCCESS, latency_ms: float | None = 2.0, **members: object) -> Result:
    return Result(due=due(**members), finding=finding, detail="probed", latency_ms=latency_ms)


results = st.builds(result, findings, latencies, instance=st.sampled_from(["a", "b"]), is_suspect=st.booleans())
# A result, and the seconds that pass before it: minutes, hours or a day.
streams = st.lists(st.tuples(results, st.sampled_from([0.0, 10.0, 61.0, 3600.0, 40_000.0])), max_size=30)


def seen(found: Sequence[Result]) -> Counts:
    counts = Counts()
    for each in found:
        counts.see(each)
    return counts


@given(st.lists(results), st.lists(results))
def test_counting_in_two_heaps_and_adding_them_is_counting_in_one(first: list[Result], second: list[Result]) -> None:
    counts = seen(first)
    counts.add(seen(second))

    assert counts == seen([*first, *second])


@given(st.lists(results.filter(probe_counts.is_counted), min_size=1))
def test_the_uptime_is_the_share_that_did_not_fail(found: list[Result]) -> None:
    counts = seen(found)

    failures = sum(each.finding in FAILED for each in found)
    assert counts.probes == len(found)
    assert counts.uptime == pytest.approx(1 - failures / len(found))
    assert counts.failures + counts.warnings <= counts.probes
    assert counts.latency_max_ms <= counts.latency_total_ms


@given(streams)
def test_whenever_it_is_written_each_result_is_written_once_in_its_hour(stream: list[tuple[Result, float]]) -> None:
    unwritten, expected, written = Unwritten(), dict[Period, Counts](), dict[Period, Counts]()
    now = 1_000_000.0
    for each, seconds in stream:
        now += seconds
        unwritten.see([each], now=now)
        if probe_counts.is_counted(each):
            period = Period(HOUR, each.due.service, each.due.instance, int(now // 3600))
            expected.setdefault(period, Counts()).see(each)
        for period, counts in unwritten.take(begun_by=now - WRITE_AFTER_SECONDS, limit=1).items():
            written.setdefault(period, Counts()).add(counts)
    for period, counts in unwritten.take(begun_by=now, limit=1000).items():
        written.setdefault(period, Counts()).add(counts)

    assert written == expected


@pytest.mark.django_db
@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.lists(results, max_size=5), st.integers(0, 50)), max_size=6))
def test_the_database_adds_as_memory_does(groups: list[tuple[list[Result], int]]) -> None:
    Rollup.objects.all().delete()
    expected: dict[Period, Counts] = {}
    for found, hour in groups:
        probe_counts.record(found, now=hour * 3600.0)
        for each in filter(probe_counts.is_counted, found):
            for span in (HOUR, DAY):
                period = Period(span, "billing", each.due.instance, hour // span * span)
                expected.setdefault(period, Counts()).see(each)

    kept = Rollup.objects.values_list(*Period._fields, *probe_counts.COLUMNS)
    assert {Period(*row[:4]): Counts(*row[4:]) for row in kept} == expected


def test_what_is_our_own_fault_is_not_counted() -> None:
    assert not probe_counts.is_counted(result(Finding.INCONCLUSIVE))
    assert not probe_counts.is_counted(result(Finding.FAILURE, is_suspect=True))
    assert probe_counts.is_counted(result(Finding.SUCCESS, is_suspect=True))


@pytest.mark.django_db
def test_counts_are_added_to_the_hour_and_to_its_day(now: datetime) -> None:
    at = now.timestamp()
    probe_counts.record([result(), result(Finding.WARNING, 6.0)], now=at)
    probe_counts.record([result(Finding.FAILURE, None)], now=at + 10)
    probe_counts.record([result(latency_ms=4.0)], now=at + 3600)

    hour = int(at // 3600)
    kept = {(each.span_hours, each.start_hour): each for each in Rollup.objects.all()}
    assert set(kept) == {(HOUR, hour), (HOUR, hour + 1), (DAY, hour // 24 * 24)}
    first, day = kept[HOUR, hour], kept[DAY, hour // 24 * 24]
    assert (first.probes, first.failures, first.warnings, first.timed) == (3, 1, 1, 2)
    assert (day.probes, day.failures, day.warnings, day.timed) == (4, 1, 1, 3)
    assert (day.latency_total_ms, day.latency_max_ms) == (12.0, 6.0)


@pytest.mark.django_db
def test_more_than_one_statement_takes_are_all_written(now: datetime) -> None:
    found = [result(instance=f"billing-{number}") for number in range(8)]

    probe_counts.record(found, now=now.timestamp(), most_at_once=3)

    assert Rollup.objects.filter(span_hours=HOUR).count() == 8


@pytest.mark.django_db
def test_what_waits_for_its_minute_is_written_with_it_and_no_sooner(now: datetime) -> None:
    unwritten, at = Unwritten(), now.timestamp()
    unwritten.see([result(), result(instance="billing-2")], now=at)
    unwritten.see([result()], now=at + 50)

    unwritten.flush(now=at + WRITE_AFTER_SECONDS - 1)
    assert not Rollup.objects.exists()
    unwritten.flush(now=at + WRITE_AFTER_SECONDS)

    assert dict(Rollup.objects.filter(span_hours=HOUR).values_list("instance", "probes")) == {
        "billing-1": 2,
        "billing-2": 1,
    }


@pytest.mark.django_db
def test_without_a_database_the_counts_wait_and_lose_nothing(now: datetime) -> None:
    is_away, at = True, now.timestamp()

    def store(hours: Mapping[Period, Counts]) -> None:
        if is_away:
            raise DatabaseError
        probe_counts.write(hours)

    unwritten = Unwritten(store)
    unwritten.see([result()], now=at)
    unwritten.flush(now=at + 60)
    unwritten.see([result()], now=at + 61)
    is_away = False

    unwritten.flush(now=at + 120)

    assert Rollup.objects.get(span_hours=HOUR).probes == 2


@pytest.mark.django_db
def test_a_beat_and_a_missed_one_are_counted(now: datetime) -> None:
    factories.register("billing", now=now, heartbeat={"kind": "ttl"})
    key = InstanceKey(service="billing", instance="billing-1")
    heartbeats.beat(key, succeeded=True, reason="", author="tester", now=now)
    heartbeats.beat(key, succeeded=False, reason="ill", author="tester", now=now)

    day = Rollup.objects.get(span_hours=DAY)
    assert (day.probes, day.failures, day.timed) == (2, 1, 0)


@pytest.fixture
def worker() -> HeartbeatWorker:
    """The heartbeats half of a process in which nothing is probed."""
    return HeartbeatWorker(Signer(), pipeline=Taken())


@pytest.mark.django_db
def test_what_the_prober_writes_is_counted_and_flushed(worker: HeartbeatWorker) -> None:
    factories.register("billing", now=timezone.now())
    (claimed,) = leases.claim(now=time.time(), limit=1)

    worker.write([factories.probe(claimed, succeeded=True)])
    worker.counts.flush(now=time.time() + WRITE_AFTER_SECONDS)

    assert Rollup.objects.get(span_hours=DAY).probes == 1


@pytest.mark.django_db
def test_the_late_result_of_what_was_deregistered_or_has_moved_is_in_no_history(worker: HeartbeatWorker) -> None:
    now = timezone.now()
    for name in ("gone", "moved"):
        factories.register("billing", name, now=now)
    claimed = leases.claim(now=time.time(), limit=2)
    registration.deregister(InstanceKey(service="billing", instance="gone"), author="tester", now=now)
    factories.register("billing", "moved", url="http://127.0.0.1:9102", now=now)

    worker.write([factories.probe(each, succeeded=False) for each in claimed])
    worker.end()

    assert len(claimed) == 2
    assert not Rollup.objects.exists()
    assert Instance.objects.get().status == Status.STARTING


@pytest.mark.django_db
def test_every_sweep_writes_what_has_waited(worker: HeartbeatWorker) -> None:
    worker.counts.see([result()], now=time.time() - WRITE_AFTER_SECONDS)

    worker.sweep(now=time.time())

    assert Rollup.objects.get(span_hours=HOUR).probes == 1


@pytest.mark.django_db
def test_a_worker_that_is_stopped_writes_all_it_has(worker: HeartbeatWorker) -> None:
    worker.counts.see([result()], now=time.time())

    worker.end()

    assert Rollup.objects.get(span_hours=HOUR).probes == 1
