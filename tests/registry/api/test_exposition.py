from datetime import datetime, timedelta

import pytest
import redis
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families

from registry import wakeups
from registry.api import exposition
from registry.health import start_delay
from registry.health.start_delay import BOUNDS, Histogram
from registry.models import Heartbeat
from registry.wakeups import Backlog
from registry.webhooks import wait_counts
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def backlog(monkeypatch: pytest.MonkeyPatch, now: datetime) -> None:
    waiting = {"registry.tasks.sweep_notifications": now.timestamp() - 2}
    monkeypatch.setattr(wakeups, "backlog", lambda: Backlog(lengths={"registry": 4}, waiting_since=waiting))
    counts = (3, 2, *(0 for _ in BOUNDS[2:]), 1)
    monkeypatch.setattr(start_delay, "read", lambda: Histogram(counts=counts, total_seconds=45.5))
    monkeypatch.setattr(wait_counts, "read", lambda: {"deployer": 7})


def samples(now: datetime) -> dict[tuple[str, str], float]:
    """Values by name and the value of the one label there may be."""
    families = text_string_to_metric_families(exposition.exposition(now=now).decode())
    return {
        (sample.name.removeprefix("rollcall_"), next(iter(sample.labels.values()), "")): sample.value
        for family in families
        for sample in family.samples
    }


def test_an_empty_registry_has_all_its_figures(now: datetime) -> None:
    found = samples(now)

    assert found["journal_revision", ""] == 0
    assert found["instances", "passing"] == 0
    assert found["probe_lateness_seconds", ""] == 0
    assert found["delivery_lag_seconds", ""] == 0
    assert found["oldest_undelivered_revision", ""] == 1


def test_the_figures_tell_what_is_late_and_who_lags(now: datetime) -> None:
    factories.passing("logsvc", now=now)
    factories.register("billing", requires=["logsvc"], now=now)
    factories.register("logsvc", "logsvc-2", now=now)
    Heartbeat.objects.filter(instance__name="logsvc-2").update(due_at=now.timestamp() - 3)
    Heartbeat.objects.exclude(instance__name="logsvc-2").update(due_at=now.timestamp() + 60)
    found = samples(now)

    assert found["journal_revision", ""] == 4
    assert (found["instances", "passing"], found["instances", "starting"]) == (1, 2)
    assert found["heartbeat_verdicts", "starting"] == 2
    assert (found["probes_due", ""], found["probe_lateness_seconds", ""]) == (1, 3)
    assert (found["dependents", "lagging"], found["dependents", "current"]) == (1, 0)
    assert found["oldest_undelivered_revision", ""] == 4
    assert samples(now + timedelta(seconds=9))["delivery_lag_seconds", ""] == 9
    assert (found["queue_length", "registry"], found["queue_age_seconds", ""]) == (4, 2)


def test_how_late_probes_began_is_a_histogram(now: datetime) -> None:
    found = samples(now)

    buckets = [found["probe_start_delay_seconds_bucket", bound] for bound in ("0.005", "0.01", "30.0", "+Inf")]
    assert buckets == [3, 5, 5, 6]
    assert found["probe_start_delay_seconds_count", ""] == 6
    assert found["probe_start_delay_seconds_sum", ""] == 45.5


def test_webhooks_that_waited_for_a_limit_are_counted_by_token(now: datetime) -> None:
    assert samples(now)["webhooks_put_off_total", "deployer"] == 7


def test_a_redis_that_is_away_is_a_figure_too(now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> Backlog:
        raise redis.ConnectionError("away")

    monkeypatch.setattr(wakeups, "backlog", away)
    assert samples(now)["redis_up", ""] == 0


def test_prometheus_reads_them_without_a_token(client: Client) -> None:
    response = client.get("/metrics")

    assert response.status_code == 200
    assert response["Content-Type"].startswith("text/plain; version=")
