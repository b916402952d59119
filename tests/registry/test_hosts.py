from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry import courier, notifications
from registry.hosts import MOST, MOST_TO_SILENT, Hosts
from registry.models import Cursor
from tests import factories

HOSTS = st.sampled_from("ab")


def admitted(hosts: Hosts, host: str) -> int:
    count = 0
    while hosts.admit(host):
        count += 1
    return count


def test_a_host_that_answers_is_sent_many_at_once_and_no_more() -> None:
    assert admitted(Hosts(), "a") == MOST


def test_a_silent_host_is_sent_few_until_it_answers_again() -> None:
    hosts = Hosts()
    assert hosts.admit("a")
    hosts.settle("a", has_answered=False)

    assert admitted(hosts, "a") == MOST_TO_SILENT
    hosts.settle("a", has_answered=True)
    assert admitted(hosts, "a") == MOST - MOST_TO_SILENT + 1


def test_one_host_takes_nothing_from_another() -> None:
    hosts = Hosts()
    admitted(hosts, "a")

    assert hosts.admit("b")


@given(st.lists(st.tuples(HOSTS, st.booleans(), st.booleans()), max_size=60))
def test_whatever_is_settled_everything_may_be_sent_again_in_the_end(steps: list[tuple[str, bool, bool]]) -> None:
    hosts, under_way = Hosts(), {"a": 0, "b": 0}
    for host, begins, has_answered in steps:
        if begins and hosts.admit(host):
            under_way[host] += 1
        elif under_way[host]:
            hosts.settle(host, has_answered=has_answered)
            under_way[host] -= 1
    for host, count in under_way.items():
        for _ in range(count):
            hosts.settle(host, has_answered=True)

    assert all(admitted(hosts, host) >= MOST_TO_SILENT for host in "ab")


@pytest.mark.django_db
def test_what_a_full_host_is_not_sent_is_put_back_and_counts_as_no_attempt(now: datetime) -> None:
    factories.register("webui", now=now, requires=["grading"])
    factories.register(
        "other", now=now, requires=["grading"], notify_url="http://127.0.0.2:1/", notify_secret=factories.SECRET
    )
    factories.passing("grading", now=now)
    hosts = Hosts()
    admitted(hosts, "127.0.0.1")

    sent = courier.admitted(notifications.claim(now=now, limit=10), hosts, now=now)

    assert [message.service for message in sent] == ["other"]
    put_back = Cursor.objects.get(instance__service="webui")
    assert (put_back.lease_until, put_back.attempts) == (0, 0)
    assert put_back.next_attempt_at == now.timestamp() + notifications.PUT_BACK_SECONDS
