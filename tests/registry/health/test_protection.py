from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rest_framework.test import APIClient

from registry.health import deadlines, leases, protection, results
from registry.health.probe import Due, Finding, Result
from registry.instances import catalogue, registration
from registry.models import Change, Instance, InstanceKey, JournalEntry, Protection, Status
from tests import factories
from tests.examples import examples
from tests.registry.conftest import ClientOf

pytestmark = pytest.mark.django_db


def fleet(count: int, *, now: datetime, service: str = "billing") -> None:
    members = {"failures_before_critical": 1, "deregister_after_seconds": 60}
    entries = [factories.entry(service, f"{service}-{number}", heartbeat=members) for number in range(count)]
    factories.pass_together(entries, now=now)
    # Long enough ago for them to count.
    Instance.objects.update(registered_at=now - timedelta(minutes=10))


def probe_all(*, succeeded: bool, now: datetime, is_cut_off: bool = False) -> None:
    due = leases.claim(now=now.timestamp() + 20, limit=1000)
    results.record([factories.probe(each, succeeded=succeeded) for each in due], is_cut_off=is_cut_off, now=now)


def offered() -> list[Instance]:
    return catalogue.offered(["billing"])["billing"]


def test_when_the_whole_fleet_fails_at_once_it_stays_offered_and_is_marked_suspect(now: datetime) -> None:
    fleet(10, now=now)
    probe_all(succeeded=False, now=now)

    assert [(each.status, each.is_suspect) for each in offered()] == [(Status.PASSING, True)] * 10
    assert offered()[0].status_reason.startswith("probed; kept because 10 of 10 instances failed within 60 s")
    assert JournalEntry.objects.filter(change=Change.SUSPECT).count() == 10


def test_a_suspect_that_fails_again_journals_nothing_and_one_that_passes_is_suspect_no_longer(now: datetime) -> None:
    fleet(10, now=now)
    probe_all(succeeded=False, now=now)
    probe_all(succeeded=False, now=now + timedelta(seconds=20))
    assert JournalEntry.objects.filter(change=Change.SUSPECT).count() == 10

    probe_all(succeeded=True, now=now + timedelta(seconds=40))

    assert not Instance.objects.filter(is_suspect=True).exists()
    assert JournalEntry.objects.filter(change=Change.PASSING).count() == 20


def test_what_fell_just_before_is_brought_back_where_a_service_is_left_with_too_little(now: datetime) -> None:
    fleet(7, now=now)
    fleet(9, now=now, service="mail")
    due = leases.claim(now=now.timestamp() + 20, limit=1000)
    billing = [each for each in due if each.service == "billing"]
    results.record([factories.probe(each, succeeded=False) for each in billing[:4]], now=now)
    assert len(offered()) == 3

    rest = [each for each in due if each not in billing[:4]]
    results.record([factories.probe(each, succeeded=False) for each in rest], now=now)

    assert [each.is_suspect for each in offered()] == [True] * 7


def test_it_ends_by_itself_after_a_genuine_scale_down_and_the_dead_are_then_let_fall(now: datetime) -> None:
    fleet(10, now=now)
    probe_all(succeeded=False, now=now)
    protection.tick(is_cut_off=False, now=now.timestamp() + 59)
    assert protection.situation(now=now).is_active

    later = now + timedelta(seconds=60)
    protection.tick(is_cut_off=False, now=later.timestamp())
    # Not the sweep's own gap: that is another test's.
    Protection.objects.update(resumed_at=None)
    probe_all(succeeded=False, now=later)

    assert not protection.situation(now=later).is_active
    assert offered() == []


def test_nothing_is_given_up_while_it_holds(now: datetime) -> None:
    fleet(1, now=now)
    probe_all(succeeded=False, now=now)
    later = now + timedelta(seconds=90)
    fleet(10, now=later, service="mail")
    fleet(10, now=later, service="cron")
    probe_all(succeeded=False, now=later)

    assert deadlines.enforce(now=later) == 0
    protection.end(now=later)
    assert deadlines.enforce(now=later) == 1


def test_when_our_own_network_is_down_not_even_one_falls(now: datetime) -> None:
    fleet(1, now=now)
    probe_all(succeeded=False, is_cut_off=True, now=now)

    assert [each.is_suspect for each in offered()] == [True]
    assert protection.situation(now=now).reason == "no canary of our own network answers"


def test_after_our_own_restart_what_has_not_passed_since_is_given_time(now: datetime) -> None:
    fleet(2, now=now)
    protection.tick(is_cut_off=False, now=now.timestamp())
    back = now + timedelta(seconds=300)
    protection.tick(is_cut_off=False, now=back.timestamp())

    probe_all(succeeded=False, now=back)
    assert [each.is_suspect for each in offered()] == [True, True]
    assert deadlines.enforce(now=back) == 0

    over = back + timedelta(seconds=protection.GRACE_SECONDS)
    probe_all(succeeded=False, now=over)
    assert offered() == []


def test_after_our_own_restart_who_fails_while_most_others_have_passed_is_believed(now: datetime) -> None:
    fleet(5, now=now)
    protection.tick(is_cut_off=False, now=now.timestamp())
    back = now + timedelta(seconds=300)
    protection.tick(is_cut_off=False, now=back.timestamp())

    *others, last = leases.claim(now=back.timestamp() + 20, limit=1000)
    results.record([factories.probe(last, succeeded=False)], now=back)
    assert [each.is_suspect for each in offered()].count(True) == 1
    results.record([factories.probe(each, succeeded=True) for each in others], now=back)
    later = back + timedelta(seconds=10)
    probed = leases.claim(now=later.timestamp() + 20, limit=1000)
    results.record([factories.probe(due, succeeded=due.instance != last.instance) for due in probed], now=later)

    assert {each.name for each in offered()} == {each.instance for each in others}


def beating(*names: str, now: datetime) -> list[InstanceKey]:
    heartbeat = {"kind": "ttl", "interval_seconds": 10, "failures_before_critical": 1}
    for name in names:
        factories.register("billing", name, now=now, heartbeat=heartbeat)
    keys = [InstanceKey(service="billing", instance=name) for name in names]
    for key in keys:
        results.beat(key, succeeded=True, reason="", author="", now=now)
    return keys


def test_while_nobody_can_beat_after_our_own_restart_none_that_beats_is_given_up(now: datetime) -> None:
    """A worker that is back before the server probes what it can, and nobody can beat."""
    fleet(5, now=now, service="mail")
    beating("a", "b", "c", now=now)
    protection.tick(is_cut_off=False, now=now.timestamp())
    back = now + timedelta(seconds=300)
    protection.tick(is_cut_off=False, now=back.timestamp())

    for seconds, held in ((0, 3), (15, 3), (29, 3), (31, 0)):
        later = back + timedelta(seconds=seconds)
        due = leases.claim(now=later.timestamp() + 20, limit=1000)
        results.record([factories.probe(each, succeeded=each.kind != "ttl") for each in due], now=later)
        assert len(offered()) == held, seconds


def test_after_our_own_restart_who_is_silent_while_most_others_have_beaten_is_believed(now: datetime) -> None:
    *others, _ = beating("a", "b", "c", now=now)
    protection.tick(is_cut_off=False, now=now.timestamp())
    back = now + timedelta(seconds=300)
    protection.tick(is_cut_off=False, now=back.timestamp())
    for key in others:
        results.beat(key, succeeded=True, reason="", author="", now=back)

    # Not before it has had an interval to beat itself.
    for seconds, held in ((9, 3), (11, 2)):
        later = back + timedelta(seconds=seconds)
        due = [each for each in leases.claim(now=later.timestamp() + 20, limit=1000) if each.instance == "c"]
        results.record([factories.probe(each, succeeded=False) for each in due], now=later)
        assert len(offered()) == held, seconds


def test_a_machine_that_is_always_late_does_not_doubt_for_ever(now: datetime) -> None:
    fleet(2, now=now)
    at = now.timestamp()
    for _ in range(10):
        protection.tick(is_cut_off=False, now=at)
        at += protection.GAP_SECONDS + 1

    probe_all(succeeded=False, now=datetime.fromtimestamp(at, UTC))
    assert offered() == []


def test_after_our_own_restart_what_has_passed_since_falls_like_any_other(now: datetime) -> None:
    fleet(2, now=now)
    protection.tick(is_cut_off=False, now=now.timestamp())
    back = now + timedelta(seconds=300)
    protection.tick(is_cut_off=False, now=back.timestamp())

    probe_all(succeeded=True, now=back)
    probe_all(succeeded=False, now=back + timedelta(seconds=10))

    assert offered() == []


def test_an_instance_that_reports_itself_ill_is_believed(now: datetime) -> None:
    fleet(10, now=now)
    probe_all(succeeded=False, now=now)
    factories.register("cron", now=now, heartbeat={"kind": "ttl"})
    cron = InstanceKey(service="cron", instance="cron-1")

    for succeeded in (True, False):
        results.beat(cron, succeeded=succeeded, reason="", author="tester", now=now)

    assert catalogue.offered(["cron"])["cron"] == []


def dead(due: Due) -> Result:
    return factories.probe(due, succeeded=False)._replace(finding=Finding.DEAD, detail="its process is gone")


def test_a_process_seen_to_die_is_believed_even_during_protection(now: datetime) -> None:
    fleet(11, now=now)
    due = leases.claim(now=now.timestamp() + 20, limit=1000)
    results.record([factories.probe(each, succeeded=False) for each in due[1:]], now=now)
    assert protection.situation(now=now).is_active

    results.record([dead(due[0])], now=now)

    assert len(offered()) == 10
    assert due[0].instance not in {each.name for each in offered()}


def test_processes_seen_to_die_begin_no_protection_and_are_not_brought_back(now: datetime) -> None:
    fleet(20, now=now)
    due = leases.claim(now=now.timestamp() + 20, limit=1000)
    results.record([dead(each) for each in due[:12]], now=now)
    assert not protection.situation(now=now).is_active

    results.record([factories.probe(each, succeeded=False) for each in due[12:]], now=now)

    assert protection.situation(now=now).is_active
    assert {each.name for each in offered()} == {each.instance for each in due[12:]}


def test_fresh_instances_neither_enlarge_the_fleet_nor_count_as_fallen(now: datetime) -> None:
    fleet(10, now=now)
    mail = [
        factories.entry("mail", f"mail-{number}", heartbeat={"failures_before_critical": 1}) for number in range(50)
    ]
    factories.pass_together(mail, now=now)
    due = leases.claim(now=now.timestamp() + 20, limit=1000)

    results.record([factories.probe(each, succeeded=False) for each in due if each.service == "mail"], now=now)
    assert not protection.situation(now=now).is_active

    results.record([factories.probe(each, succeeded=False) for each in due if each.service == "billing"], now=now)
    assert protection.situation(now=now).reason.startswith("10 of 10 instances")


def test_many_passing_ttl_instances_hide_no_outage(now: datetime) -> None:
    fleet(10, now=now)
    crons = [factories.entry("cron", f"cron-{number}", heartbeat={"kind": "ttl"}) for number in range(60)]
    registration.register_many(crons, now=now)
    beats = [results.Beat(key=each.key, succeeded=True, reason="", author="tester") for each in crons]
    results.take_beats(beats, now=now)
    Instance.objects.update(registered_at=now - timedelta(minutes=10))

    due = leases.claim(now=now.timestamp() + 9, limit=1000)
    results.record([factories.probe(each, succeeded=False) for each in due if each.service == "billing"], now=now)

    assert protection.situation(now=now).is_active


@settings(max_examples=examples(16), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    strangers=st.integers(0, 60),
    hosts=st.integers(1, 60),
    failing=st.integers(0, 60),
    flaps=st.integers(1, 3),
    fallen_of_ours=st.integers(0, 4),
)
def test_whatever_one_token_does_it_changes_no_verdict_of_another(
    strangers: int, hosts: int, failing: int, flaps: int, fallen_of_ours: int, now: datetime
) -> None:
    factories.empty_tables()
    fleet(8, now=now)
    others = [
        factories.entry(
            *(f"x{number % 3}", f"x-{number}"),
            url=f"http://127.0.1.{1 + number % hosts}:9000",
            heartbeat={"failures_before_critical": 1},
        )
        for number in range(strangers)
    ]
    factories.pass_together(others, now=now)
    Instance.objects.exclude(service="billing").update(registered_by="stranger")
    Instance.objects.update(registered_at=now - timedelta(minutes=10))
    due = leases.claim(now=now.timestamp() + 20, limit=1000)
    ours = [each for each in due if each.service == "billing"]
    theirs = [each for each in due if each.service != "billing"][:failing]

    for _ in range(flaps):
        results.record([factories.probe(each, succeeded=False) for each in theirs], now=now)
    results.record([factories.probe(each, succeeded=False) for each in ours[:fallen_of_ours]], now=now)

    assert not protection.situation(now=now).is_active
    assert {each.name for each in offered()} == {each.instance for each in ours[fallen_of_ours:]}


def test_after_a_clock_was_set_back_protection_and_grace_end_as_if_begun_now(now: datetime) -> None:
    fleet(10, now=now)
    probe_all(succeeded=False, now=now)
    protection.tick(is_cut_off=False, now=now.timestamp())
    back = now - timedelta(hours=1)
    protection.tick(is_cut_off=False, now=back.timestamp())

    protection.tick(is_cut_off=False, now=back.timestamp() + 61)

    assert not protection.situation(now=back + timedelta(seconds=61)).is_active


@pytest.fixture
def operator(client_of: ClientOf) -> APIClient:
    return client_of("operate", "read")


def test_the_api_says_how_protection_stands_and_ends_it(operator: APIClient, now: datetime) -> None:
    fleet(10, now=now)
    probe_all(succeeded=False, now=now)

    body = operator.get("/v1/protection").json()
    assert (body["active"], body["suspects"]) == (True, 10)
    assert "10 of 10" in body["reason"]
    assert "ends by itself" in body["ends"]
    assert operator.get("/v1/services/billing/instances/billing-0").json()["suspect"] is True

    assert operator.delete("/v1/protection").status_code == 204
    assert operator.get("/v1/protection").json()["active"] is False


def test_ending_protection_takes_an_operator(client_of: ClientOf) -> None:
    assert client_of("read").delete("/v1/protection").status_code == 403
