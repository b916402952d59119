import math
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from threading import Event, Thread
from typing import Any

import pytest
from django.db import IntegrityError, OperationalError, connection, transaction
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs
from psycopg.errors import LockNotAvailable
from pytest_django import Settings

from config.problems import Unavailable
from registry.errors import Contended, Deregistered
from registry.health import results
from registry.health.results import Beat
from registry.instances import declaration, group_commit, overrides, registration, storage
from registry.instances.group_commit import GroupCommit, Job, Store
from registry.instances.overrides import DrainOrder, MaintenanceOrder, Order
from registry.instances.registration import Departure, Registered
from registry.instances.storage import Entry
from registry.journal import log
from registry.models import Instance, InstanceKey, JournalEntry, Tombstone
from registry.server import answer_in_time, server
from tests.registry.conftest import NOW

pytestmark = pytest.mark.django_db(transaction=True)

DECLARED = declaration.declaration(
    {"url": "http://127.0.0.1:9000", "incarnation": "run-1", "heartbeat": {"kind": "ttl"}}
)


@pytest.fixture(autouse=True)
def _stopped() -> Iterator[None]:
    yield
    server.group_commit.stop()


def entry(number: int, **members: object) -> Entry:
    declared = declaration.declaration({"url": "http://127.0.0.1:9000", **members})
    key = declaration.instance_key("billing", f"billing-{number}")
    return Entry(key=key, declared=declared, author="tester")


def register(each: Entry) -> Registered:
    try:
        return server.group_commit.perform(registration.store_all, each)
    finally:
        connection.close()


def test_what_has_waited_too_long_to_be_answered_is_refused_and_not_stored() -> None:
    late = GroupCommit(patience_seconds=0)
    with pytest.raises(Unavailable, match="was not stored"):
        late.submit(registration.store_all, entry(1)).result()
    late.stop()
    assert not Instance.objects.exists()


def test_a_process_that_serves_refuses_what_it_was_too_late_to_answer(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server.group_commit, "patience_seconds", math.inf)
    settings.ANSWER_SECONDS = 4.0
    answer_in_time()
    assert server.group_commit.patience_seconds == 4.0


def test_what_comes_at_the_same_time_is_stored_each_once_with_revisions_in_order() -> None:
    with ThreadPoolExecutor(8) as threads:
        registered = list(threads.map(register, [entry(number) for number in range(40)]))

    assert {each.instance.name for each in registered} == {f"billing-{number}" for number in range(40)}
    assert [each.revision for each in log.page(after=0, limit=100)] == list(range(1, 41))


def test_two_updates_of_one_instance_at_the_same_time_are_both_taken() -> None:
    with ThreadPoolExecutor(8) as threads:
        registered = list(threads.map(register, [entry(1, weight=weight) for weight in range(1, 20)]))

    assert len(registered) == 19
    assert Instance.objects.count() == 1
    assert JournalEntry.objects.count() == 19


def test_who_is_refused_hinders_nobody_else(now: datetime) -> None:
    register(entry(1, incarnation="run-1"))
    registration.deregister(declaration.instance_key("billing", "billing-1"), author="tester", now=now)

    with ThreadPoolExecutor(8) as threads:
        refused = threads.submit(register, entry(1, incarnation="run-1"))
        others = list(threads.map(register, [entry(number) for number in range(2, 10)]))

    with pytest.raises(Deregistered):
        refused.result()
    assert len(others) == 8


def test_no_reader_skips_a_revision_however_transactions_overlap() -> None:
    seen: list[int] = []
    written = Event()

    def read() -> None:
        try:
            is_over = False
            while not is_over:
                # Without a pause it would keep the interpreter from the writers, who wait for each other's lock.
                is_over = written.wait(0.001)
                seen.extend(each.revision for each in log.page(after=seen[-1] if seen else 0, limit=100))
        finally:
            connection.close()

    def write(number: int) -> None:
        try:
            registration.register(
                entry(number).key, entry(number).declared, author="t", now=datetime.now().astimezone()
            )
        finally:
            connection.close()

    with ThreadPoolExecutor(7) as threads:
        reader = threads.submit(read)
        try:
            list(threads.map(write, range(60)))
        finally:
            written.set()
        reader.result(timeout=30)

    assert seen == list(range(1, 61))


def test_whatever_fails_nobody_waits_for_ever_and_the_next_are_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(group_commit, "close_old_connections", _broken)
        failed = server.group_commit.submit(registration.store_all, entry(1))
        with pytest.raises(ZeroDivisionError):
            failed.result(timeout=30)

    assert register(entry(2)).is_new


def test_a_thread_that_is_gone_is_started_again() -> None:
    threads: list[Thread] = []

    def new_thread(run: Callable[[], None]) -> Thread:
        # The first ends at once and does nothing, as in a child that was forked.
        threads.append(Thread(target=run if threads else int))
        return threads[-1]

    forked = GroupCommit(new_thread=new_thread)
    left = forked.submit(registration.store_all, entry(1))
    threads[0].join()

    try:
        assert forked.submit(registration.store_all, entry(2)).result(timeout=30).is_new
        assert left.result(timeout=30).is_new
    finally:
        forked.stop()


def test_while_the_database_is_away_a_group_waits_for_it_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def away(entries: list[Entry], *, now: datetime) -> None:
        asked.append(len(entries))
        raise OperationalError("no route to host")

    monkeypatch.setattr(registration, "store_all", away)
    jobs = [job(registration.store_all, entry(number)) for number in range(50)]

    group_commit.store(jobs)

    assert asked == [50, 1]
    assert all(isinstance(each.future.exception(timeout=0), OperationalError) for each in jobs)


def test_a_row_that_another_holds_keeps_only_those_who_write_it(monkeypatch: pytest.MonkeyPatch) -> None:
    locked = entry(1)
    store_all = registration.store_all

    def waits_in_vain(entries: list[Entry], *, now: datetime) -> Any:
        if locked in entries:
            raise OperationalError("canceling statement due to lock timeout") from LockNotAvailable()
        return store_all(entries, now=now)

    monkeypatch.setattr(registration, "store_all", waits_in_vain)
    jobs = [job(registration.store_all, each) for each in (entry(0), locked, entry(2))]

    group_commit.store(jobs)

    assert isinstance(jobs[1].future.exception(timeout=0), OperationalError)
    assert [jobs[number].future.result(timeout=0).is_new for number in (0, 2)] == [True, True]


def test_who_collides_again_and_again_keeps_the_others_of_its_group_no_longer_than_one_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[int] = []

    def contended(entries: list[Entry], *, now: datetime) -> None:
        asked.append(len(entries))
        raise Contended

    monkeypatch.setattr(registration, "store_all", contended)
    jobs = [job(registration.store_all, entry(number)) for number in range(50)]

    group_commit.store(jobs)

    assert asked == [50, 1, 1]
    assert all(isinstance(each.future.exception(timeout=0), Contended) for each in jobs)


def test_one_whose_constraint_breaks_whenever_it_is_tried_hinders_nobody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    insert = storage.insert

    def broken(instances: Collection[Instance], *, revision: int, now: datetime) -> None:
        if any(each.name == "billing-3" for each in instances):
            raise IntegrityError("a constraint of ours")
        insert(instances, revision=revision, now=now)

    monkeypatch.setattr(storage, "insert", broken)
    jobs = [job(registration.store_all, entry(number)) for number in range(6)]

    group_commit.store(jobs)

    errors = [each.future.exception(timeout=0) for each in jobs]
    assert [type(error) for error in errors if error] == [IntegrityError]
    assert Instance.objects.count() == 5


ORDERS: dict[str, Callable[[InstanceKey], tuple[Store[Any, Any], Any]]] = {
    "register": lambda key: (registration.store_all, Entry(key=key, declared=DECLARED, author="tester")),
    "another run": lambda key: (
        registration.store_all,
        Entry(key=key, declared=structs.replace(DECLARED, incarnation="run-2"), author="tester"),
    ),
    "deregister": lambda key: (registration.remove_all, Departure(key=key, author="tester")),
    "beat": lambda key: (results.take_beats, Beat(key=key, succeeded=True, reason="", author="tester")),
    "fail": lambda key: (results.take_beats, Beat(key=key, succeeded=False, reason="disk", author="tester")),
    "maintain": lambda key: (overrides.begin_all, MaintenanceOrder(key=key, author="tester")),
    "maintain all": lambda key: (overrides.begin_all, MaintenanceOrder(key=replace(key, instance=""), author="tester")),
    "lift": lambda key: (overrides.end_all, Order(key=key, author="tester")),
    "drain": lambda key: (overrides.drain_all, DrainOrder(key=key, seconds=60, author="tester")),
}
WRITES = st.lists(st.tuples(st.sampled_from(sorted(ORDERS)), st.sampled_from(["a", "b", "A"])), max_size=12)


@settings(max_examples=40, deadline=None)
@given(writes=WRITES)
def test_a_group_of_any_writes_comes_to_the_same_as_each_after_the_other(writes: list[tuple[str, str]]) -> None:
    made = [ORDERS[what](InstanceKey(service="billing", instance=name)) for what, name in writes]

    one_by_one = in_vain(lambda: [outcome for each in made for outcome in stored([each])])
    together = in_vain(lambda: stored(made))

    assert together == one_by_one


def stored(made: list[tuple[Store[Any, Any], Any]]) -> list[Any]:
    outcomes = group_commit.commit([job(store, item) for store, item in made], now=NOW)
    return [type(each) for each in outcomes]


def in_vain(act: Callable[[], list[Any]]) -> tuple[list[Any], Any, Any, Any]:
    """The outcomes, and what is stored then; afterwards nothing of it is."""
    with transaction.atomic():
        outcomes = act()
        instances = [
            (
                each.service,
                each.name,
                each.incarnation,
                each.status,
                each.is_in_maintenance,
                each.draining_until is None,
            )
            for each in Instance.objects.all()
        ]
        told = Counter(JournalEntry.objects.values_list("service", "instance", "change"))
        buried = sorted(Tombstone.objects.values_list("service", "instance", "incarnation"))
        transaction.set_rollback(True)
    return outcomes, instances, told, buried


def job(store: Store[Any, Any], item: Any) -> Job:
    return Job(store, item, Future())


def _broken() -> None:
    raise ZeroDivisionError
