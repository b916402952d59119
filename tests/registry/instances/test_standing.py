from datetime import datetime, timedelta

import pytest

from registry.instances import declaration, overrides, registration, standing
from registry.instances.dependencies import State
from registry.instances.standing import Standing
from tests import factories

pytestmark = pytest.mark.django_db


def standing_of(service: str) -> Standing:
    return next(each for each in standing.standings()[0] if each.summary.service == service)


def test_a_service_is_down_since_its_last_instance_went(now: datetime) -> None:
    one, other = (factories.passing("logsvc", name, now=now) for name in ("logsvc-1", "logsvc-2"))
    later = now + timedelta(minutes=4)
    factories.judge(one, succeeded=False, now=now, times=3)
    factories.judge(other, succeeded=False, now=later, times=3)

    found = standing_of("logsvc")

    assert (found.state, found.since, found.reason) == (State.CRITICAL, later, "probed")


def test_a_service_with_a_critical_instance_is_degraded_since_then_and_says_how_many(now: datetime) -> None:
    factories.passing("logsvc", "logsvc-1", now=now)
    later = now + timedelta(minutes=4)
    factories.judge(factories.passing("logsvc", "logsvc-2", now=now), succeeded=False, now=later, times=3)

    found = standing_of("logsvc")

    assert (found.state, found.since) == (State.DEGRADED, later)
    assert found.reason == "1 of 2 instances critical: probed"


def test_a_missing_service_is_so_since_its_last_instance_was_deregistered(now: datetime) -> None:
    factories.passing("webui", now=now, requires=["logsvc"])
    factories.passing("logsvc", now=now)
    later = now + timedelta(minutes=4)
    registration.deregister(declaration.instance_key("logsvc", "logsvc-1"), author="tester", now=later)

    assert (standing_of("logsvc").state, standing_of("logsvc").since) == (State.MISSING, later)
    assert (standing_of("webui").state, standing_of("webui").since) == (State.DEGRADED, later)
    assert standing_of("webui").causes == ["logsvc"]


def test_a_service_in_maintenance_says_since_when_and_why_in_the_operators_words(now: datetime) -> None:
    factories.passing("logsvc", now=now)
    later = now + timedelta(minutes=4)
    overrides.begin_maintenance("logsvc", "", until=None, reason="new disk", author="ada", now=later)

    found = standing_of("logsvc")

    assert (found.state, found.since, found.reason) == (State.MAINTENANCE, later, "new disk")
