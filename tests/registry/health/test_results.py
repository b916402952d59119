from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from registry.errors import UnknownInstance
from registry.health import leases, results
from registry.instances import declaration, registration
from registry.models import Change, Heartbeat, Instance, InstanceKey, JournalEntry, Status
from registry.wire.bodies import instance_body
from tests import factories

pytestmark = pytest.mark.django_db


def test_a_claim_takes_what_is_due_and_nobody_else_gets_it(now: datetime) -> None:
    factories.register("billing", now=now)
    factories.register("later", now=now + timedelta(seconds=60))

    first = leases.claim(now=now.timestamp(), limit=10)
    second = leases.claim(now=now.timestamp(), limit=10)

    assert [due.service for due in first] == ["billing"]
    assert second == []


def test_a_claim_that_is_never_written_runs_out(now: datetime) -> None:
    factories.register("billing", now=now)
    leases.claim(now=now.timestamp(), limit=10)
    lease = 5 + leases.LEASE_MARGIN_SECONDS

    assert leases.claim(now=now.timestamp() + lease - 1, limit=10) == []
    assert len(leases.claim(now=now.timestamp() + lease, limit=10)) == 1


def test_a_claim_looks_ahead_and_knows_when_each_is_to_be_probed(now: datetime) -> None:
    factories.register("billing", now=now + timedelta(seconds=1))

    assert leases.claim(now=now.timestamp(), limit=10) == []
    (due,) = leases.claim(now=now.timestamp(), limit=10, ahead=1)

    assert due.due_at == now.timestamp() + 1


def test_what_is_held_is_not_claimed_again_because_of_an_alarm(now: datetime) -> None:
    held = factories.register("billing", now=now).instance
    free = factories.register("later", now=now + timedelta(seconds=60)).instance
    leases.claim(now=now.timestamp(), limit=10)

    alarmed = leases.claim_now([held.pk, free.pk], now=now.timestamp())

    assert [(each.service, each.due_at) for each in alarmed] == [("later", now.timestamp())]


def test_a_result_that_comes_after_its_lease_was_taken_over_is_dropped(now: datetime) -> None:
    factories.register("billing", now=now)
    (slow,) = leases.claim(now=now.timestamp(), limit=10)
    (quick,) = leases.claim(now=now.timestamp() + 100, limit=10)

    results.record([factories.probe(quick, succeeded=True)], now=now)
    results.record([factories.probe(slow, succeeded=False)], now=now)

    assert Instance.objects.get().status == Status.PASSING
    assert Heartbeat.objects.get().failures == 0


def test_a_late_verdict_does_not_revive_what_was_deregistered(now: datetime) -> None:
    factories.register("billing", now=now)
    (due,) = leases.claim(now=now.timestamp(), limit=10)
    registration.deregister(declaration.instance_key("billing", "billing-1"), author="tester", now=now)

    results.record([factories.probe(due, succeeded=True)], now=now)

    assert not Instance.objects.exists()
    assert JournalEntry.objects.count() == 2


def test_passing_and_staying_so_journals_nothing(now: datetime) -> None:
    instance = factories.passing("billing", now=now)
    factories.judge(instance, succeeded=True, now=now, times=3)

    assert [entry.change for entry in JournalEntry.objects.order_by("revision")] == [Change.REGISTERED, Change.PASSING]


def test_the_text_of_an_answer_is_no_change(now: datetime) -> None:
    instance = factories.passing("billing", now=now)
    revision = instance.revision
    (due,) = leases.claim(now=now.timestamp() + 60, limit=10)
    results.record([factories.probe(due, succeeded=True, detail="another text")], now=now)

    assert Instance.objects.get().revision == revision
    assert Heartbeat.objects.get().detail == "another text"


def test_failures_in_a_row_make_it_critical_and_a_success_brings_it_back(now: datetime) -> None:
    instance = factories.passing("billing", now=now)

    factories.judge(instance, succeeded=False, now=now, times=2)
    assert instance.status == Status.PASSING
    factories.judge(instance, succeeded=False, now=now)
    assert instance.status == Status.CRITICAL
    factories.judge(instance, succeeded=True, now=now)
    assert str(instance.status) == Status.PASSING


def test_the_next_probe_comes_within_an_interval_and_hardly_before(now: datetime) -> None:
    instance = factories.passing("billing", now=now)
    factories.judge(instance, succeeded=True, now=now)

    wait = Heartbeat.objects.get().due_at - now.timestamp()
    assert 9.5 <= wait <= 10


def test_the_time_an_answer_takes_makes_no_interval_longer(now: datetime) -> None:
    factories.passing("billing", now=now)
    due_at = Heartbeat.objects.get().due_at
    (due,) = leases.claim(now=due_at, limit=1)

    results.record([factories.probe(due, succeeded=True)], now=now + timedelta(seconds=due_at - now.timestamp() + 3))

    assert Heartbeat.objects.get().due_at - due_at <= 10


@pytest.mark.parametrize(("interval", "timeout", "failures"), [(10, 5, 3), (10, 0.1, 1), (2, 30, 2)])
def test_what_hangs_is_critical_after_an_interval_and_a_timeout_for_each_failure(
    now: datetime, interval: float, timeout: float, failures: int
) -> None:
    heartbeat = {"interval_seconds": interval, "timeout_seconds": timeout, "failures_before_critical": failures}
    instance = factories.passing("billing", now=now, heartbeat=heartbeat)
    factories.judge(instance, succeeded=True, now=now)
    at = now.timestamp()
    while instance.status == Status.PASSING:
        at = max(at, Heartbeat.objects.get().due_at)
        (due,) = leases.claim(now=at, limit=1)
        at += timeout
        results.record([factories.probe(due, succeeded=False)], now=datetime.fromtimestamp(at, UTC))
        instance.refresh_from_db()

    assert at - now.timestamp() <= (interval + timeout) * failures


def test_what_was_registered_together_is_spread_over_the_interval(now: datetime) -> None:
    for number in range(100):
        factories.register("billing", f"billing-{number}", now=now)
    due = leases.claim(now=now.timestamp(), limit=100)
    results.record([factories.probe(each, succeeded=True) for each in due], now=now)

    waits = sorted(each.due_at - now.timestamp() for each in Heartbeat.objects.all())
    assert waits[0] < 4
    assert waits[-1] > 8


def test_a_beat_makes_a_ttl_instance_passing_and_sets_its_deadline(now: datetime) -> None:
    factories.register("cron", now=now, heartbeat={"kind": "ttl", "interval_seconds": 30})

    results.beat(InstanceKey(service="cron", instance="cron-1"), succeeded=True, reason="", author="tester", now=now)

    assert Instance.objects.get().status == Status.PASSING
    assert Heartbeat.objects.get().due_at == now.timestamp() + 30


@pytest.mark.parametrize("change", [{}, {"version": "2"}, {"incarnation": "run-2"}])
def test_a_ttl_instance_that_registers_again_keeps_passing(now: datetime, change: dict[str, str]) -> None:
    heartbeat = {"kind": "ttl", "interval_seconds": 30}
    factories.register("cron", now=now, heartbeat=heartbeat)
    results.beat(InstanceKey(service="cron", instance="cron-1"), succeeded=True, reason="", author="tester", now=now)

    factories.register("cron", now=now + timedelta(seconds=20), heartbeat=heartbeat, **change)

    assert Instance.objects.get().status == Status.PASSING
    assert leases.claim(now=now.timestamp() + 29, limit=10) == []


def test_an_instance_that_reports_itself_critical_is_so_at_once_with_its_reason(now: datetime) -> None:
    factories.register("cron", now=now, heartbeat={"kind": "ttl"})
    key = InstanceKey(service="cron", instance="cron-1")

    results.beat(key, succeeded=False, reason="disk full", author="tester", now=now)

    instance = Instance.objects.get()
    assert (instance.status, instance.status_reason) == (Status.CRITICAL, "disk full")


def test_a_beat_of_an_unknown_instance_says_to_register_again(now: datetime) -> None:
    with pytest.raises(UnknownInstance, match="register it"):
        results.beat(InstanceKey(service="a", instance="b"), succeeded=True, reason="", author="tester", now=now)


def test_the_kind_that_the_first_probe_chooses_is_shown_with_its_verdict(now: datetime) -> None:
    factories.register("billing", now=now)
    (due,) = leases.claim(now=now.timestamp(), limit=10)

    results.record([factories.probe(due, succeeded=True)._replace(chosen_kind="http")], now=now)

    instance = Instance.objects.get()
    assert (due.kind, instance.heartbeat_kind) == ("auto", "http")
    assert instance_body(instance)["heartbeat"]["chosen"]
    assert list(JournalEntry.objects.order_by("revision").values_list("change", flat=True)) == [
        Change.REGISTERED,
        Change.PASSING,
    ]


def test_a_choice_without_a_verdict_is_journalled_so_that_every_reader_sees_it(now: datetime) -> None:
    factories.register("billing", now=now, heartbeat={"successes_before_passing": 2})
    (due,) = leases.claim(now=now.timestamp(), limit=10)

    results.record([factories.probe(due, succeeded=True)._replace(chosen_kind="tcp")], now=now)

    assert Instance.objects.get().heartbeat_kind == "tcp"
    assert list(JournalEntry.objects.order_by("revision").values_list("change", flat=True)) == [
        Change.REGISTERED,
        Change.CHANGED,
    ]


@pytest.mark.parametrize(
    ("members", "kind"),
    [
        ({}, "http"),
        ({"incarnation": "run-2"}, "http"),
        ({"heartbeat": {"kind": "http", "url": "http://127.0.0.1:9000", "chosen": True}}, "http"),
        ({"url": "http://127.0.0.1:9001"}, "auto"),
        ({"heartbeat": {"kind": "tcp"}}, "tcp"),
    ],
    ids=["the same", "another run", "as it was answered", "another URL", "a kind of its own"],
)
def test_a_choice_holds_for_its_url_until_a_kind_is_declared(members: dict[str, Any], kind: str, now: datetime) -> None:
    factories.register("billing", now=now)
    (due,) = leases.claim(now=now.timestamp(), limit=10)
    results.record([factories.probe(due, succeeded=True)._replace(chosen_kind="http")], now=now)

    factories.register("billing", now=now, **members)

    assert Instance.objects.get().heartbeat_kind == kind


def test_what_is_held_for_changing_too_often_says_so_though_it_answers(now: datetime) -> None:
    instance = factories.passing("billing", now=now, heartbeat={"failures_before_critical": 1})
    for number in range(3):
        for succeeded in (False, True):
            factories.judge(instance, succeeded=succeeded, now=now + timedelta(seconds=number))

    instance.refresh_from_db()
    assert instance.status == Status.CRITICAL
    assert instance.status_reason.startswith("changes too often: held critical until it has been steady")
    entry = JournalEntry.objects.order_by("-revision").first()
    assert entry is not None
    assert (entry.change, entry.reason) == (Change.CHANGED, instance.status_reason)
