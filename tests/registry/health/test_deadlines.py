from datetime import datetime, timedelta
from typing import Any

import pytest

from registry.errors import Deregistered, Superseded
from registry.health import deadlines
from registry.instances import overrides, registration
from registry.models import Change, Instance, InstanceKey, JournalEntry, Maintenance, Status
from tests import factories

pytestmark = pytest.mark.django_db

BILLING = InstanceKey(service="billing", instance="billing-1")


def test_what_stays_critical_is_deregistered_when_its_time_is_over(now: datetime) -> None:
    instance = factories.passing("billing", now=now, heartbeat={"deregister_after_seconds": 60})
    factories.judge(instance, succeeded=False, now=now, times=3)

    assert deadlines.enforce(now=now + timedelta(seconds=59)) == 0
    assert deadlines.enforce(now=now + timedelta(seconds=60)) == 1
    entry = JournalEntry.objects.first()
    assert entry is not None
    assert entry.reason == "critical for longer than 60 s"


def test_in_maintenance_nothing_is_given_up_and_after_it_the_time_begins_anew(now: datetime) -> None:
    instance = factories.passing("billing", now=now, heartbeat={"deregister_after_seconds": 60})
    overrides.begin_maintenance("billing", until=None, reason="new disk", author="ann", now=now)
    factories.judge(instance, succeeded=False, now=now, times=3)

    assert deadlines.enforce(now=now + timedelta(hours=1)) == 0
    overrides.end_maintenance("billing", author="ann", now=now + timedelta(hours=1))
    assert deadlines.enforce(now=now + timedelta(hours=1, seconds=59)) == 0
    assert deadlines.enforce(now=now + timedelta(hours=1, seconds=60)) == 1


def test_a_late_success_begins_the_time_anew(now: datetime) -> None:
    instance = factories.passing("billing", now=now, heartbeat={"deregister_after_seconds": 60})
    for seconds, succeeded, times in ((0, False, 3), (40, True, 1), (41, False, 3)):
        factories.judge(instance, succeeded=succeeded, now=now + timedelta(seconds=seconds), times=times)

    assert deadlines.enforce(now=now + timedelta(seconds=100)) == 0
    assert deadlines.enforce(now=now + timedelta(seconds=101)) == 1


def test_a_new_run_of_what_was_critical_begins_the_time_anew(now: datetime) -> None:
    heartbeat = {"deregister_after_seconds": 60}
    instance = factories.passing("billing", now=now, heartbeat=heartbeat)
    factories.judge(instance, succeeded=False, now=now, times=3)
    back = now + timedelta(seconds=90)
    factories.register("billing", now=back, incarnation="second", heartbeat=heartbeat)

    assert deadlines.enforce(now=back + timedelta(seconds=59)) == 0
    assert deadlines.enforce(now=back + timedelta(seconds=60)) == 1


def test_an_instance_that_passes_and_is_held_for_changing_too_often_is_not_given_up(now: datetime) -> None:
    heartbeat = {"deregister_after_seconds": 10, "failures_before_critical": 1}
    instance = factories.passing("billing", now=now, heartbeat=heartbeat)
    for succeeded in (False, True) * 3:
        factories.judge(instance, succeeded=succeeded, now=now)
    assert instance.status == Status.CRITICAL

    assert deadlines.enforce(now=now + timedelta(seconds=10)) == 0

    factories.judge(instance, succeeded=False, now=now + timedelta(seconds=11))
    assert deadlines.enforce(now=now + timedelta(seconds=12)) == 1


@pytest.mark.parametrize("is_new_run", [False, True])
def test_what_fell_while_the_clock_was_ahead_is_given_up_in_its_time(is_new_run: bool, now: datetime) -> None:
    heartbeat = {"deregister_after_seconds": 60}
    instance = factories.passing("billing", now=now, heartbeat=heartbeat)
    ahead = now + timedelta(hours=1)
    factories.judge(instance, succeeded=False, now=now if is_new_run else ahead, times=3)
    if is_new_run:
        factories.register("billing", now=ahead, incarnation="second", heartbeat=heartbeat)

    assert deadlines.begin_anew(now=now) == 1
    assert deadlines.begin_anew(now=now) == 0
    assert deadlines.enforce(now=now + timedelta(seconds=59)) == 0
    assert deadlines.enforce(now=now + timedelta(seconds=60)) == 1


def test_a_drain_that_a_clock_ahead_began_lasts_no_longer(now: datetime) -> None:
    factories.passing("billing", now=now)
    overrides.drain(BILLING, seconds=30, reason="update", author="ann", now=now + timedelta(hours=1))

    assert deadlines.begin_anew(now=now) == 1
    entry = JournalEntry.objects.first()
    assert entry is not None
    assert (entry.change, entry.reason) == (Change.CHANGED, deadlines.SET_BACK)
    assert deadlines.enforce(now=now + timedelta(seconds=29)) == 0
    assert deadlines.enforce(now=now + timedelta(seconds=30)) == 1


def given_up_run(name: str, *, now: datetime) -> None:
    """The run `name` of billing-1 is critical for so long that it is given up."""
    heartbeat = {"deregister_after_seconds": 60, "failures_before_critical": 1}
    instance = factories.passing("billing", now=now, incarnation=name, heartbeat=heartbeat)
    factories.judge(instance, succeeded=False, now=now)
    assert deadlines.enforce(now=now + timedelta(seconds=60)) == 1


def test_a_run_that_was_given_up_may_register_again_and_again(now: datetime) -> None:
    given_up_run("first", now=now)
    later = now + timedelta(seconds=61)

    assert factories.register("billing", now=later, incarnation="first").is_new
    assert not factories.register("billing", now=later, incarnation="first").is_new


@pytest.mark.parametrize("second", ["second", ""])
def test_a_run_that_was_given_up_and_followed_by_another_comes_back_no_more(now: datetime, second: str) -> None:
    given_up_run("first", now=now)
    later = now + timedelta(seconds=61)
    factories.register("billing", now=later, incarnation=second)

    with pytest.raises(Superseded):
        factories.register("billing", now=later, incarnation="first")
    registration.deregister(BILLING, author="ann", now=later)
    with pytest.raises(Deregistered):
        factories.register("billing", now=later, incarnation="first")


def test_what_recovers_while_others_are_given_up_stays(now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("billing-1", "billing-2"):
        instance = factories.passing("billing", name, now=now, heartbeat={"deregister_after_seconds": 60})
        factories.judge(instance, succeeded=False, now=now, times=3)

    deregister = registration.deregister

    def deregister_slowly(key: InstanceKey, **members: Any) -> bool:
        Instance.objects.exclude(name=key.instance).update(status=Status.PASSING)
        return deregister(key, **members)

    monkeypatch.setattr(registration, "deregister", deregister_slowly)

    assert deadlines.enforce(now=now + timedelta(seconds=60)) == 1
    assert [each.name for each in Instance.objects.all()] == ["billing-2"]


def test_maintenance_ends_by_itself(now: datetime) -> None:
    instance = factories.passing("billing", now=now)
    until = now + timedelta(minutes=5)
    overrides.begin_maintenance("billing", until=until, reason="upgrade", author="ann", now=now)

    deadlines.enforce(now=until - timedelta(seconds=1))
    instance.refresh_from_db()
    assert not instance.is_offered
    deadlines.enforce(now=until)
    instance.refresh_from_db()

    assert instance.is_offered
    assert not Maintenance.objects.exists()
    entry = JournalEntry.objects.first()
    assert entry is not None
    assert (entry.change, entry.author, entry.reason) == (Change.MAINTENANCE_ENDED, "ann", "its time is over")


def test_what_drains_is_deregistered_when_its_time_is_over(now: datetime) -> None:
    factories.passing("billing", now=now)
    overrides.drain(BILLING, seconds=30, reason="", author="ann", now=now)

    assert deadlines.enforce(now=now + timedelta(seconds=29)) == 0
    assert deadlines.enforce(now=now + timedelta(seconds=30)) == 1
    assert not Instance.objects.exists()
