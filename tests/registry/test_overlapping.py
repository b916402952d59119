"""What two processes do to the same instance at the same time."""

from datetime import datetime

import pytest

from registry import bulk, claims, declaration, enrolment, heartbeats, registration
from registry.models import Instance, Status
from tests import factories
from tests.registry.overlapping import overlapping

pytestmark = pytest.mark.django_db(transaction=True)

BILLING = declaration.target("billing", "billing-1")


def falling(now: datetime) -> list[heartbeats.Result]:
    """The result that makes billing-1 critical."""
    factories.passing("billing", now=now, heartbeat={"failures_before_critical": 1})
    return [factories.probe(due, succeeded=False) for due in claims.claim(now=now.timestamp() + 60, limit=10)]


def test_a_verdict_and_the_next_run_of_its_instance_do_not_wait_for_each_other(
    now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    results = falling(now)
    with overlapping(monkeypatch, enrolment, "_probe_anew", lambda: heartbeats.record(results, now=now)) as other:
        factories.register("billing", now=now, incarnation="run-2", heartbeat={"failures_before_critical": 1})

    # The verdict was about the run before.
    assert other.result() == 0
    assert Instance.objects.get().status == Status.PASSING


def test_a_verdict_and_a_deregistration_do_not_wait_for_each_other(
    now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    results = falling(now)

    def deregister() -> bool:
        return registration.deregister(BILLING, author="tester", now=now)

    with overlapping(monkeypatch, bulk, "write_heartbeats", deregister, is_after=True) as other:
        assert heartbeats.record(results, now=now) == 1

    assert other.result()
    assert not Instance.objects.exists()
