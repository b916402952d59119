from datetime import datetime, timedelta

import pytest
from pytest_django import DjangoCaptureOnCommitCallbacks

from config.problems import Invalid
from registry import wakeups
from registry.errors import Deregistered, NameTaken, Superseded
from registry.health import deadlines
from registry.instances import declaration, overrides, registration
from registry.journal import log
from registry.models import Change, Cursor, Heartbeat, Instance, JournalEntry, Requirement, Status
from tests import factories

pytestmark = pytest.mark.django_db

BILLING = declaration.instance_key("billing", "billing-1")


def test_a_new_instance_is_starting_and_due_at_once(now: datetime) -> None:
    registered = factories.register("billing", now=now)

    assert registered.is_new
    assert registered.instance.status == Status.STARTING
    assert Heartbeat.objects.get(instance=registered.instance).due_at == now.timestamp()
    assert JournalEntry.objects.get().change == Change.REGISTERED
    assert registered.revision == registered.instance.revision == log.head() == 1


def test_a_ttl_instance_is_due_when_its_first_beat_is_late(now: datetime) -> None:
    registered = factories.register("cron", now=now, heartbeat={"kind": "ttl", "interval_seconds": 30})

    assert Heartbeat.objects.get(instance=registered.instance).due_at == now.timestamp() + 30


@pytest.mark.parametrize(("kind", "calls"), [("http", 1), ("ttl", 0)])
def test_the_prober_is_called_for_what_is_due_now_alone(
    kind: str, calls: int, now: datetime, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    for interval_seconds in (5, 10):
        with django_capture_on_commit_callbacks() as callbacks:
            factories.register("billing", now=now, heartbeat={"kind": kind, "interval_seconds": interval_seconds})
        assert callbacks.count(wakeups.wake_heartbeats) == calls


def test_the_same_declaration_again_journals_nothing(now: datetime) -> None:
    factories.register("billing", now=now, tags=["b", "a"], requires=["logsvc"])

    again = factories.register("billing", now=now + timedelta(1), tags=["a", "b"], requires=["logsvc"])

    assert not again.is_new
    assert JournalEntry.objects.count() == 1
    assert again.instance.registered_at == now


def test_an_update_names_what_changed_and_keeps_the_status(now: datetime) -> None:
    factories.passing("billing", now=now)

    updated = factories.register("billing", now=now, weight=5, zone="b")

    entry = JournalEntry.objects.first()
    assert entry is not None
    assert (entry.change, entry.reason) == (Change.CHANGED, "changed: zone, weight")
    assert updated.instance.status == Status.PASSING
    assert updated.instance.revision == entry.revision == 3


@pytest.mark.parametrize("succeeded", [True, False])
def test_at_a_new_address_the_first_probe_decides_alone_whether_it_goes_on_being_offered(
    now: datetime, *, succeeded: bool
) -> None:
    thresholds = {"failures_before_critical": 3}
    instance = factories.passing("billing", now=now, heartbeat=thresholds)

    moved = factories.register("billing", now=now, url="http://127.0.0.1:9102", heartbeat=thresholds).instance

    assert moved.is_offered
    factories.judge(moved, succeeded=succeeded, now=now)
    assert moved.is_offered is succeeded
    factories.judge(instance, succeeded=False, now=now, times=2)
    instance.refresh_from_db()
    assert instance.is_offered is succeeded


def test_what_was_not_offered_yet_has_all_its_tries_at_a_new_address(now: datetime) -> None:
    factories.register("billing", now=now)
    moved = factories.register("billing", now=now, url="http://127.0.0.1:9102").instance

    factories.judge(moved, succeeded=False, now=now, times=2)

    assert moved.status == Status.STARTING


def test_the_answer_holds_the_providers_that_are_offered_and_names_those_without(now: datetime) -> None:
    logsvc = factories.passing("logsvc", now=now)
    factories.register("logsvc", "logsvc-2", now=now)

    registered = factories.register("webui", now=now, requires=["logsvc", "grading"])

    assert registered.providers == {"grading": [], "logsvc": [logsvc]}
    assert Cursor.objects.get().notified_revision == registered.revision


def test_requirements_follow_the_declaration(now: datetime) -> None:
    factories.register("webui", now=now, requires=["logsvc", "grading"])
    factories.register("webui", now=now, requires=["grading", "mail"])

    assert set(Requirement.objects.values_list("service", flat=True)) == {"grading", "mail"}


def test_without_a_notify_url_there_is_no_cursor(now: datetime) -> None:
    factories.register("webui", now=now, requires=["logsvc"])
    factories.register("webui", now=now, requires=["logsvc"], notify_url=None)

    assert not Cursor.objects.exists()


def test_registering_again_revives_a_stopped_cursor_and_drops_a_delivery_under_way(now: datetime) -> None:
    factories.register("webui", now=now, requires=["logsvc"])
    Cursor.objects.update(is_stopped=True, attempts=4, lease_until=now.timestamp() + 30)

    factories.register("webui", now=now, requires=["logsvc"])

    cursor = Cursor.objects.get()
    assert (cursor.is_stopped, cursor.attempts, cursor.lease_until) == (False, 0, 0)


def test_deregistering_is_idempotent_and_journalled_once(now: datetime) -> None:
    factories.register("billing", now=now)
    key = declaration.instance_key("billing", "billing-1")

    assert registration.deregister(key, author="tester", now=now)
    assert not registration.deregister(key, author="tester", now=now)

    assert not Instance.objects.exists()
    assert not Heartbeat.objects.exists()
    entry = JournalEntry.objects.first()
    assert entry is not None
    assert (entry.change, entry.revision, entry.author) == (Change.DEREGISTERED, 2, "tester")


def test_of_two_services_with_one_instance_id_only_the_one_that_is_named_is_deregistered(now: datetime) -> None:
    for service in ("billing", "shop"):
        factories.passing(service, "10.0.0.7:9000", now=now)
    dependent = factories.register("webui", now=now, requires=["billing", "shop"])
    assert [len(each) for each in dependent.providers.values()] == [1, 1]

    registration.deregister(declaration.instance_key("billing", "10.0.0.7:9000"), author="tester", now=now)

    left = Instance.objects.exclude(service="webui").get()
    assert (left.service, left.status) == ("shop", Status.PASSING)
    again = factories.register("webui", now=now, requires=["billing", "shop"])
    assert {service: len(each) for service, each in again.providers.items()} == {"billing": 0, "shop": 1}


def test_a_run_that_was_deregistered_does_not_come_back_and_a_new_one_does(now: datetime) -> None:
    factories.register("billing", now=now, incarnation="run-1")
    registration.deregister(declaration.instance_key("billing", "billing-1"), author="tester", now=now)

    with pytest.raises(Deregistered, match="start it anew"):
        factories.register("billing", now=now, incarnation="run-1", weight=3)
    assert not Instance.objects.exists()
    assert factories.register("billing", now=now, incarnation="run-2").is_new


def test_a_process_that_stops_late_does_not_take_its_successor_away(now: datetime) -> None:
    factories.register("billing", now=now, incarnation="run-1")
    factories.register("billing", now=now, incarnation="run-2")
    key = declaration.instance_key("billing", "billing-1")

    assert not registration.deregister(key, incarnation="run-1", author="tester", now=now)

    assert Instance.objects.get().incarnation == "run-2"
    assert registration.deregister(key, incarnation="run-2", author="tester", now=now)


def test_a_new_run_is_probed_at_once_and_journals_nothing(now: datetime) -> None:
    factories.passing("billing", now=now, incarnation="run-1")
    entries = JournalEntry.objects.count()

    factories.register("billing", now=now, incarnation="run-2")

    assert Heartbeat.objects.get().due_at == now.timestamp()
    assert JournalEntry.objects.count() == entries


def test_a_new_run_of_what_was_draining_is_offered_again_and_stays(now: datetime) -> None:
    factories.passing("billing", now=now, incarnation="run-1")
    overrides.drain(BILLING, seconds=5, reason="", author="tester", now=now)

    again = factories.register("billing", now=now, incarnation="run-2")
    later = now + timedelta(seconds=10)
    deadlines.enforce(now=later)

    assert again.instance.shown_status == "passing"
    assert JournalEntry.objects.latest("revision").reason == "changed: draining_until"
    assert Instance.objects.get().is_offered


def test_the_same_run_goes_on_draining_whatever_it_registers(now: datetime) -> None:
    factories.passing("billing", now=now, incarnation="run-1")
    overrides.drain(BILLING, seconds=5, reason="", author="tester", now=now)

    again = factories.register("billing", now=now, incarnation="run-1", weight=5)

    assert again.instance.shown_status == "draining"


@pytest.mark.parametrize("kind", ["http", "tcp"])
def test_the_longest_url_is_stored_or_refused_with_what_to_change(kind: str, now: datetime) -> None:
    url = "http://127.0.0.1:9000/".ljust(500, "a")

    if kind == "tcp":
        assert factories.register("billing", now=now, url=url, heartbeat={"kind": kind}).instance.url == url
    else:
        with pytest.raises(Invalid) as refused:
            factories.register("billing", now=now, url=url, heartbeat={"kind": kind})
        assert [error["pointer"] for error in refused.value.errors or []] == ["/url"]


def test_a_late_registration_of_a_run_that_was_followed_by_another_is_refused(now: datetime) -> None:
    factories.register("billing", now=now, incarnation="one", version="1")
    factories.register("billing", now=now, incarnation="two", version="2")

    with pytest.raises(Superseded):
        factories.register("billing", now=now, incarnation="one", version="1")

    assert Instance.objects.get().version == "2"


def test_a_run_may_register_again_while_no_other_has_followed_it(now: datetime) -> None:
    factories.register("billing", now=now, incarnation="one", version="1")
    factories.register("billing", now=now, incarnation="one", version="2")

    assert Instance.objects.get().version == "2"


@pytest.mark.parametrize(
    "name", ["host.local:cam:8080", "10.0.0.7-8080_a", "0f6c9a4e-1c1b-4a52-9d55-0f1c2b3a4d5e", "Telegraf_1"]
)
def test_an_instance_may_be_named_as_other_registries_name_it(name: str, now: datetime) -> None:
    factories.register("billing", name, now=now)

    assert Instance.objects.get().name == name


def test_two_names_that_differ_only_in_case_are_not_both_registered(now: datetime) -> None:
    factories.register("billing", "Telegraf_1", now=now)

    with pytest.raises(NameTaken) as refusal:
        factories.register("billing", "telegraf_1", now=now)

    assert "differs only in case from billing/Telegraf_1" in refusal.value.detail
    factories.register("billing", "Telegraf_1", now=now, version="2")
    assert Instance.objects.get().version == "2"
