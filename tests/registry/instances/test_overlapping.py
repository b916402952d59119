"""Two processes that change the same instance at the same time."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection, transaction

from registry.database import bulk, inserts, retry
from registry.errors import Deregistered
from registry.health import deadlines, leases
from registry.health import results as heartbeats
from registry.health.probe import Result
from registry.instances import declaration, overrides, registration, storage
from registry.instances.storage import Entry
from registry.journal import log
from registry.models import Cursor, Instance, Status
from registry.webhooks import cursors, replay
from registry.webhooks.cursors import Attempt
from registry.wire import bodies
from tests import factories
from tests.registry.instances.overlapping import overlapping

pytestmark = pytest.mark.django_db(transaction=True)

BILLING = declaration.instance_key("billing", "billing-1")


def falling(now: datetime) -> list[Result]:
    """The result that makes billing-1 critical."""
    factories.passing("billing", now=now, heartbeat={"failures_before_critical": 1})
    return [factories.probe(due, succeeded=False) for due in leases.claim(now=now.timestamp() + 60, limit=10)]


def test_a_verdict_and_the_next_run_of_its_instance_do_not_wait_for_each_other(
    now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    results = falling(now)
    with overlapping(monkeypatch, storage, "_probe_anew", lambda: heartbeats.record(results, now=now)) as other:
        factories.register("billing", now=now, incarnation="run-2", heartbeat={"failures_before_critical": 1})

    # The verdict was about the run before.
    assert other.result() == []
    assert Instance.objects.get().status == Status.PASSING


def test_a_verdict_and_a_deregistration_do_not_wait_for_each_other(
    now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    results = falling(now)

    def deregister() -> bool:
        return registration.deregister(BILLING, author="tester", now=now)

    with overlapping(monkeypatch, bulk, "write_heartbeats", deregister, is_after=True) as other:
        assert heartbeats.record(results, now=now) == results

    assert other.result()
    assert not Instance.objects.exists()


def test_a_late_registration_does_not_bring_back_what_is_being_deregistered(
    now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    factories.register("billing", now=now, incarnation="run-1")

    def register() -> None:
        factories.register("billing", now=now, incarnation="run-1")

    with overlapping(monkeypatch, bodies, "offer_digest", register) as other:
        registration.deregister(BILLING, author="tester", now=now)

    with pytest.raises(Deregistered):
        other.result()
    assert not Instance.objects.exists()


def test_a_run_that_stops_while_it_is_being_registered_does_not_stay(
    now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    def deregister() -> bool:
        return registration.deregister(BILLING, author="tester", incarnation="run-1", now=now)

    with overlapping(monkeypatch, inserts, "new_ids", deregister) as other:
        factories.register("billing", now=now, incarnation="run-1")

    assert other.result()
    assert not Instance.objects.exists()


def test_maintenance_that_begins_meanwhile_holds_for_what_is_being_registered(
    now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    def begin() -> None:
        overrides.begin_maintenance("billing", until=None, reason="", author="tester", now=now)

    with overlapping(monkeypatch, inserts, "new_ids", begin) as other:
        factories.register("billing", now=now)

    other.result()
    assert Instance.objects.get().is_in_maintenance


def test_maintenance_that_ends_meanwhile_ends_for_what_is_being_registered(
    now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    overrides.begin_maintenance("billing", until=None, reason="", author="tester", now=now)

    def end() -> None:
        overrides.end_maintenance("billing", author="tester", now=now)

    with overlapping(monkeypatch, inserts, "new_ids", end) as other:
        factories.register("billing", now=now)

    other.result()
    assert not Instance.objects.get().is_in_maintenance


def test_maintenance_of_a_service_that_begins_while_that_of_its_instance_ends_holds_for_it(
    now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    factories.register("billing", now=now)
    overrides.begin_maintenance("billing", "billing-1", until=None, reason="disk", author="tester", now=now)

    def begin() -> None:
        overrides.begin_maintenance("billing", until=None, reason="move", author="tester", now=now)

    with overlapping(monkeypatch, overrides, "held", begin, is_after=True) as other:
        overrides.end_maintenance("billing", "billing-1", author="tester", now=now)

    other.result()
    instance = Instance.objects.get()
    assert (instance.is_in_maintenance, instance.override_reason) == (True, "move")


def test_maintenance_of_an_instance_that_ends_while_that_of_its_service_begins_leaves_the_reason_of_the_service(
    now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    factories.register("billing", now=now)
    overrides.begin_maintenance("billing", "billing-1", until=None, reason="disk", author="tester", now=now)

    def end() -> None:
        overrides.end_maintenance("billing", "billing-1", author="tester", now=now)

    with overlapping(monkeypatch, overrides, "held", end, is_after=True) as other:
        overrides.begin_maintenance("billing", until=None, reason="move", author="tester", now=now)

    other.result()
    instance = Instance.objects.get()
    assert (instance.is_in_maintenance, instance.override_reason) == (True, "move")


def test_two_that_register_overlapping_fleets_both_succeed(now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    names = [f"billing-{number}" for number in range(4)]
    rivals = iter(names)

    def rival(*_: Any) -> None:
        with suppress(StopIteration):
            factories.register("billing", next(rivals), now=now)

    original = registration.find_refused

    def refused(entries: Any, found: Any) -> Any:
        # On SQLite nobody else registers from the beginning on.
        if len(entries) > 1 and connection.vendor == "postgresql":
            with ThreadPoolExecutor(1) as threads:
                threads.submit(_alone, rival).result()
        return original(entries, found)

    monkeypatch.setattr(registration, "find_refused", refused)
    declared = declaration.declaration({"url": "http://127.0.0.1:9000"})
    fleet = [Entry(key=declaration.instance_key("billing", name), declared=declared, author="t") for name in names]

    registered = registration.register_many(fleet, now=now)

    assert all(isinstance(each, registration.Registered) for each in registered)
    assert Instance.objects.count() == len(names)


def _alone(function: Any) -> None:
    try:
        function()
    finally:
        connection.close()


def test_a_message_that_is_recorded_and_its_dependents_new_run_do_not_wait_for_each_other(
    now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in (1, 2):
        factories.register("webui", f"webui-{number}", now=now, requires=["grading"])
    factories.passing("grading", now=now)
    messages = cursors.claim(now=now, limit=10)
    # Put off one by one, in another order than that of the dependents.
    attempts = [
        Attempt(message=each, status_code=500, duration_ms=1.0, error="answered 500") for each in reversed(messages)
    ]
    declared = declaration.declaration(
        {"url": "http://127.0.0.1:9", "requires": ["grading"], "notify_url": "http://127.0.0.1:9/"}
        | {"notify_secret": factories.SECRET}
    )
    names = [declaration.instance_key("webui", f"webui-{number}") for number in (1, 2)]
    fleet = [Entry(key=name, declared=declared, author="tester") for name in names]

    def register() -> Any:
        return registration.register_many(fleet, now=now)

    with overlapping(monkeypatch, cursors, "_put_off", register, is_after=True) as other:
        cursors.record(attempts, now=now)

    assert len(other.result()) == 2


def test_a_new_history_and_who_registers_again_do_not_wait_for_each_other(
    now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retry, "ATTEMPTS", 1)

    def register() -> None:
        factories.register("webui", now=now, requires=["grading"])

    register()
    with overlapping(monkeypatch, log, "begin_history", register) as other:
        assert replay.begin_history() == 1

    other.result()


def test_what_is_put_back_and_its_dependents_new_run_do_not_wait_for_each_other(now: datetime) -> None:
    for number in (1, 2):
        factories.register("webui", f"webui-{number}", now=now, requires=["grading"])
    factories.passing("grading", now=now)
    messages = cursors.claim(now=now, limit=10)

    def put_back() -> None:
        _alone(lambda: cursors.put_back(messages, now=now))

    with ThreadPoolExecutor(1) as threads:
        if connection.vendor == "postgresql":
            with transaction.atomic():
                assert Cursor.objects.select_for_update().get(instance__name="webui-1")
                threads.submit(put_back).result(timeout=30)
                assert [each.lease_until > 0 for each in Cursor.objects.order_by("pk")] == [True, False]
        threads.submit(put_back).result(timeout=30)
    assert not Cursor.objects.filter(lease_until__gt=0).exists()


def test_what_recovers_while_it_is_given_up_stays(now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    instance = factories.passing("billing", now=now, heartbeat={"deregister_after_seconds": 60})
    factories.judge(instance, succeeded=False, now=now, times=3)
    original = deadlines.given_up

    def given_up(now: datetime) -> list[Instance]:
        found = original(now)
        factories.judge(instance, succeeded=True, now=now)
        return found

    monkeypatch.setattr(deadlines, "given_up", given_up)

    assert deadlines.enforce(now=now + timedelta(seconds=100)) == 0
    assert Instance.objects.get().status == Status.PASSING


def test_who_is_being_pointed_anew_counts_as_lagging_no_more_than_it_can_be_claimed(now: datetime) -> None:
    factories.register("webui", now=now, requires=["grading"])
    factories.passing("grading", now=now)

    def ask() -> tuple[int, bool]:
        try:
            return len(cursors.claim(now=now, limit=10)), cursors.lagging(now=now.timestamp())
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as threads:
        if connection.vendor == "postgresql":
            with transaction.atomic():
                assert Cursor.objects.select_for_update().get()
                assert threads.submit(ask).result(timeout=30) == (0, False)
        assert cursors.lagging(now=now.timestamp())
        assert threads.submit(ask).result(timeout=30) == (1, False)
