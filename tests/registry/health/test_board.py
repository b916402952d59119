import json
from datetime import datetime, timedelta

import pytest
from django.core.cache import cache

from registry.health import board, probe_counts
from registry.health.probe_counts import HOUR, Counts, Period
from registry.instances.dependencies import State
from registry.models import Heartbeat
from registry.wire.bodies import heartbeat_body
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _empty_cache() -> None:
    cache.clear()


def test_a_row_holds_a_services_newest_heartbeat_its_uptime_by_day_and_its_latency_by_hour(now: datetime) -> None:
    factories.passing("logsvc", "logsvc-1", now=now, tags=["eu"], zone="a")
    factories.passing("logsvc", "logsvc-2", now=now + timedelta(seconds=5), tags=["us"])
    hour = int(now.timestamp() // 3600)
    counts = Counts(probes=10, failures=1, timed=9, latency_total_ms=18.0, latency_max_ms=4.0)
    probe_counts.write({Period(HOUR, "logsvc", "logsvc-1", each): counts for each in (hour, hour - 23, hour - 24)})

    (row,) = board.rows(now=now)

    assert row.standing.state is State.PASSING
    assert row.last_heartbeat_at == now + timedelta(seconds=5)
    assert (row.tags, row.zones) == ({"eu", "us"}, {"a"})
    assert json.loads(row.days) == [["2026-11-22", 0.9], ["2026-11-23", 0.9]]
    latencies = json.loads(row.latencies)
    assert (latencies[0], latencies[1], latencies[-1]) == (2.0, None, 2.0)


def test_a_refused_probe_has_no_latency_to_show(now: datetime) -> None:
    factories.judge(factories.passing("logsvc", "logsvc-1", now=now), succeeded=False, now=now, times=3)
    factories.passing("webui", "webui-1", now=now)
    factories.judge(factories.passing("webui", "webui-2", now=now), succeeded=False, now=now)
    Heartbeat.objects.filter(instance__name="webui-2").update(latency_ms=5000)

    dead, half = board.rows(now=now)

    assert (dead.latency_ms, half.latency_ms) == (None, 1.0)
    assert heartbeat_body(Heartbeat.objects.get(instance__name="logsvc-1"))["latency_ms"] is None
    assert heartbeat_body(Heartbeat.objects.get(instance__name="webui-1"))["latency_ms"] == 1.0


def test_a_service_that_is_only_required_has_a_row_too(now: datetime) -> None:
    factories.register("webui", now=now, requires=["logsvc"])

    found = {row.standing.summary.service: row for row in board.rows(now=now)}

    assert found["logsvc"].standing.state is State.MISSING
    assert (found["logsvc"].last_heartbeat_at, found["logsvc"].days) == (None, b"[]")
