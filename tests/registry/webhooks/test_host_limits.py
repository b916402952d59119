from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection
from hypothesis import given
from hypothesis import strategies as st

from registry.models import Cursor
from registry.outbound.types import Error, Outcome
from registry.webhooks import cursors as notifications
from registry.webhooks.compose import Message
from registry.webhooks.cursors import Attempt
from registry.webhooks.host_limits import MOST, MOST_TO_SILENT, Address, Hosts
from registry.webhooks.worker import WebhookWorker, has_answered
from registry.webhooks.worker import admitted as sift
from tests import factories
from tests.registry.taken import Taken

A, B = ("a", 80), ("b", 80)
SIGNED = {"notify_secret": factories.SECRET}
ADDRESSES = st.sampled_from([A, B])


def admitted(hosts: Hosts, address: Address) -> int:
    count = 0
    while hosts.admit(address):
        count += 1
    return count


def test_a_host_that_answers_is_sent_many_at_once_and_no_more() -> None:
    assert admitted(Hosts(), A) == MOST


def test_a_silent_host_is_sent_few_until_it_answers_again() -> None:
    hosts = Hosts()
    assert hosts.admit(A)
    hosts.settle(A, has_answered=False)

    assert admitted(hosts, A) == MOST_TO_SILENT
    hosts.settle(A, has_answered=True)
    assert admitted(hosts, A) == MOST - MOST_TO_SILENT + 1


def test_one_host_takes_nothing_from_another() -> None:
    hosts = Hosts()
    admitted(hosts, A)

    assert hosts.admit(B)


def test_who_listens_beside_what_hangs_is_not_held_up() -> None:
    hosts, beside = Hosts(), ("a", 81)
    assert hosts.admit(A)
    hosts.settle(A, has_answered=False)
    admitted(hosts, A)

    assert admitted(hosts, beside) == MOST - MOST_TO_SILENT


@given(st.lists(st.tuples(ADDRESSES, st.booleans(), st.booleans()), max_size=60))
def test_whatever_is_settled_everything_may_be_sent_again_in_the_end(steps: list[tuple[Address, bool, bool]]) -> None:
    hosts, under_way = Hosts(), {A: 0, B: 0}
    for number, (host, begins, is_heard) in enumerate(steps):
        if begins and hosts.admit(host):
            under_way[host] += 1
        elif begins:
            hosts.wait(host, number)
        elif under_way[host]:
            hosts.settle(host, has_answered=is_heard)
            under_way[host] -= 1
    for host, count in under_way.items():
        for _ in range(count):
            hosts.settle(host, has_answered=True)

    assert hosts.waiting() == hosts.release() == set()
    assert all(admitted(hosts, host) >= MOST_TO_SILENT for host in (A, B))


@pytest.mark.django_db
def test_what_a_full_host_is_not_sent_is_put_back_and_counts_as_no_attempt(now: datetime) -> None:
    factories.register("webui", now=now, requires=["grading"])
    factories.register(
        "other", now=now, requires=["grading"], notify_url="http://127.0.0.2:1/", notify_secret=factories.SECRET
    )
    factories.passing("grading", now=now)
    hosts = Hosts()
    admitted(hosts, ("127.0.0.1", 9000))

    sent, refused = sift(notifications.claim(now=now, limit=10), hosts)
    notifications.put_back(refused, now=now)

    assert [message.service for message in sent] == ["other"]
    put_back = Cursor.objects.get(instance__service="webui")
    assert (put_back.lease_until, put_back.attempts) == (0, 0)
    assert put_back.next_attempt_at == now.timestamp() + notifications.PUT_BACK_SECONDS


@pytest.mark.parametrize(
    ("outcome", "most"),
    [
        (Outcome(status=200, latency_ms=5000), MOST),
        (Outcome(error=Error.CONNECTION_REFUSED, latency_ms=1), MOST),
        (Outcome(error=Error.LOCAL_LIMIT, latency_ms=5000), MOST),
        (Outcome(error=Error.TIMEOUT, latency_ms=10_000), MOST_TO_SILENT),
        (Outcome(error=Error.TIMEOUT, status=200, latency_ms=10_000), MOST_TO_SILENT),
    ],
)
def test_only_who_keeps_us_waiting_for_nothing_is_sent_few(outcome: Outcome, most: int) -> None:
    hosts = Hosts()
    hosts.admit(A)

    hosts.settle(A, has_answered=has_answered(outcome))

    assert admitted(hosts, A) == most


@pytest.mark.django_db
def test_a_database_that_fails_while_some_are_put_back_costs_their_host_no_place(now: datetime) -> None:
    for number in (1, 2):
        factories.register("webui", f"webui-{number}", now=now, requires=["grading"])
    factories.passing("grading", now=now)
    worker, taken = sweeping()
    for _ in range(MOST - 1):
        worker.hosts.admit(("127.0.0.1", 1))

    with connection.execute_wrapper(fail_to_put_back), pytest.raises(OperationalError):
        worker.sweep(now=now)

    assert len(taken.taken) == 1


@pytest.mark.django_db
def test_who_waits_for_an_address_that_hangs_costs_nothing_until_a_place_is_free(now: datetime) -> None:
    for number in range(MOST_TO_SILENT + 5):
        factories.register("webui", f"webui-{number}", now=now, requires=["grading"])
    factories.passing("grading", now=now)
    worker, running = sweeping()
    hosts, silent = worker.hosts, ("127.0.0.1", 9000)
    hosts.admit(silent)
    hosts.settle(silent, has_answered=False)

    def told_after(seconds: int) -> int:
        before = len(running.taken)
        worker.sweep(now=now + timedelta(seconds=seconds))
        return len(running.taken) - before

    assert told_after(0) == MOST_TO_SILENT
    waiting = Cursor.objects.filter(next_attempt_at__gt=0).order_by("pk")
    before = list(waiting.values())
    assert [told_after(seconds) for seconds in (2, 4, 6)] == [0, 0, 0]
    assert list(waiting.values()) == before

    hosts.settle(silent, has_answered=False)
    assert told_after(8) == 1
    hosts.settle(silent, has_answered=True)
    assert told_after(10) == 4
    assert len({message.instance_id for message in running.taken}) == len(running.taken) == MOST_TO_SILENT + 5


@pytest.mark.django_db
def test_a_place_that_is_free_again_is_offered_at_once(now: datetime) -> None:
    woken = list[bool]()
    worker = WebhookWorker(pipeline=Taken(), wake=lambda: woken.append(True))
    hosts = worker.hosts
    factories.register("webui", now=now, requires=["grading"])
    factories.passing("grading", now=now)
    hosts.admit(A)
    hosts.settle(A, has_answered=False)
    admitted(hosts, A)
    hosts.wait(A, Cursor.objects.get().pk)
    Cursor.objects.update(next_attempt_at=1)

    worker.write([])
    assert woken == []
    hosts.settle(A, has_answered=False)
    worker.write([])
    assert woken == [True]


@pytest.mark.django_db
def test_who_registers_again_meanwhile_is_not_left_alone(now: datetime) -> None:
    factories.register("webui", now=now, requires=["grading"])
    grading = factories.passing("grading", now=now)
    messages = notifications.claim(now=now, limit=10)
    notifications.put_back(messages, now=now)
    waiting, later = {messages[0].instance_id}, now + timedelta(seconds=2)
    assert notifications.claim(now=later, limit=10, left_alone=waiting) == []
    assert not notifications.lagging(now=later.timestamp(), left_alone=waiting)

    elsewhere = {"notify_url": "http://127.0.0.2:1/", "notify_secret": factories.SECRET}
    factories.register("webui", now=now, requires=["grading"], **elsewhere)
    factories.judge(grading, succeeded=False, now=now, times=3)

    assert notifications.lagging(now=later.timestamp(), left_alone=waiting)
    (message,) = notifications.claim(now=later, limit=10, left_alone=waiting)
    assert message.url == elsewhere["notify_url"]


@pytest.mark.django_db
def test_who_has_moved_away_waits_no_longer_where_it_was(now: datetime) -> None:
    factories.register("webui", now=now, requires=["grading"], notify_url="http://127.0.0.2:1/", **SIGNED)
    grading = factories.passing("grading", now=now)
    hosts, left = Hosts(), ("127.0.0.1", 9000)
    hosts.admit(left)
    hosts.settle(left, has_answered=False)
    admitted(hosts, left)
    hosts.wait(left, Cursor.objects.get().pk)

    (message,), _ = sift(notifications.claim(now=now, limit=10), hosts)
    hosts.settle(("127.0.0.2", 1), has_answered=True)
    failed = Attempt(message=message, status_code=None, duration_ms=1.0, error="refused")
    notifications.record([failed], now=now)

    factories.judge(grading, succeeded=False, now=now, times=3)
    assert notifications.lagging(now=now.timestamp() + 2, left_alone=hosts.waiting())


def sweeping() -> tuple[WebhookWorker, Taken[Message]]:
    """The webhooks half of a process that sends nothing, and what it was to send."""
    taken = Taken[Message]()
    return WebhookWorker(pipeline=taken), taken


def fail_to_put_back(execute: Callable[..., Any], sql: str, parameters: Any, many: bool, context: Any) -> Any:
    if "next_attempt_at = %s" in sql:
        raise OperationalError
    return execute(sql, parameters, many, context)
