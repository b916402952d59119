import asyncio
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest
from django.db import connection

from config.clocks import SKEW_SECONDS
from registry.instances import declaration, registration
from registry.journal import log
from registry.models import Cursor, Delivery
from registry.outbound.address_policy import AddressPolicy
from registry.outbound.types import Outcome
from registry.webhooks import cursors
from registry.webhooks.compose import Message
from registry.webhooks.cursors import Attempt
from registry.webhooks.sender import Sender
from tests import factories

pytestmark = pytest.mark.django_db


def claim(now: datetime) -> list[Message]:
    return cursors.claim(now=now, limit=100)


def data_of(message: Message) -> dict[str, Any]:
    return msgspec.json.decode(message.body)["data"]  # type: ignore[no-any-return]  # JSON, as each test reads it


def answered(message: Message, status: int, **members: Any) -> Attempt:
    error = "" if 200 <= status < 300 else f"answered {status}"
    return Attempt(message=message, status_code=status, duration_ms=2.0, error=error, **members)


def test_exactly_the_dependents_are_told_of_a_provider(now: datetime) -> None:
    factories.register("webui", now=now, requires=["logsvc"])
    factories.register("mail", now=now, requires=["billing"])
    factories.passing("logsvc", now=now)

    (message,) = claim(now)

    assert message.service == "webui"
    data = data_of(message)
    assert [each["instance"] for each in data["added"]] == ["logsvc-1"]
    assert data["subscriber"] == {"service": "webui", "instance": "webui-1"}
    assert data["changed"] == data["removed"] == []


def test_a_dependent_hears_nothing_when_nothing_it_requires_changed_and_its_range_stays_whole(now: datetime) -> None:
    start = factories.register("webui", now=now, requires=["logsvc"]).revision
    factories.passing("billing", now=now)
    assert claim(now) == []
    assert Cursor.objects.get().scanned_revision == start + 2

    factories.passing("logsvc", now=now)
    (message,) = claim(now)

    assert message.from_revision == start


def test_an_instance_that_came_and_went_is_not_mentioned(now: datetime) -> None:
    factories.register("webui", now=now, requires=["logsvc"])
    factories.passing("logsvc", now=now)
    registration.deregister(declaration.instance_key("logsvc", "logsvc-1"), author="tester", now=now)

    assert claim(now) == []


def test_a_critical_provider_is_removed_with_its_reason(now: datetime) -> None:
    logsvc = factories.passing("logsvc", now=now)
    factories.register("webui", now=now, requires=["logsvc"])
    factories.judge(logsvc, succeeded=False, now=now, times=3)

    (message,) = claim(now)

    assert data_of(message)["removed"] == [{"service": "logsvc", "instance": "logsvc-1", "reason": "critical"}]


def test_the_cursor_moves_on_a_2xx_only(now: datetime) -> None:
    factories.register("webui", now=now, requires=["logsvc"])
    factories.passing("logsvc", now=now)
    (message,) = claim(now)

    cursors.record([answered(message, 500)], now=now)
    assert Cursor.objects.get().notified_revision == message.from_revision
    later = now + timedelta(seconds=2)
    (again,) = claim(later)
    cursors.record([answered(again, 204)], now=later)

    assert again.id == message.id
    assert Cursor.objects.get().notified_revision == message.to_revision
    assert claim(later) == []
    assert list(Delivery.objects.values_list("status_code", flat=True)) == [204, 500]


def test_retries_come_every_8_seconds_for_ten_minutes_and_then_ever_more_rarely(now: datetime) -> None:
    factories.register("webui", now=now, requires=["logsvc"])
    factories.passing("logsvc", now=now)
    waits = []
    for attempts in (0, 1, 2, 3, 50, 80, 200):
        Cursor.objects.update(attempts=attempts)
        (message,) = claim(now)
        cursors.record([answered(message, 503)], now=now)
        wait = Cursor.objects.get().next_attempt_at - now.timestamp()
        waits.append(wait)
        now += timedelta(seconds=wait + 0.001)

    for wait, nominal in zip(waits, [1, 2, 4, 8, 8, 60, 300], strict=True):
        assert nominal * 0.8 <= wait <= nominal * 1.2


def test_retry_after_is_honoured_and_clamped(now: datetime) -> None:
    factories.register("webui", now=now, requires=["logsvc"])
    factories.passing("logsvc", now=now)
    (message,) = claim(now)

    cursors.record([answered(message, 429, retry_after_seconds=1e9)], now=now)

    assert Cursor.objects.get().next_attempt_at == now.timestamp() + cursors.LONGEST_RETRY_AFTER_SECONDS


def test_a_410_stops_until_the_next_registration(now: datetime) -> None:
    factories.register("webui", now=now, requires=["logsvc"])
    factories.passing("logsvc", now=now)
    (message,) = claim(now)

    cursors.record([answered(message, 410)], now=now)

    assert claim(now + timedelta(days=1)) == []


def test_a_failed_dependent_gets_the_net_change_up_to_its_next_attempt(now: datetime) -> None:
    factories.register("webui", now=now, requires=["logsvc"])
    first = factories.passing("logsvc", now=now)
    (message,) = claim(now)
    cursors.record([answered(message, 500)], now=now)
    factories.passing("logsvc", "logsvc-2", now=now)
    factories.judge(first, succeeded=False, now=now, times=3)

    (again,) = claim(now + timedelta(seconds=2))

    assert [each["instance"] for each in data_of(again)["added"]] == ["logsvc-2"]
    assert data_of(again)["removed"] == []
    assert (again.from_revision, again.to_revision) == (message.from_revision, message.to_revision + 3)


def test_nobody_else_sends_what_is_claimed_and_a_lost_claim_runs_out(now: datetime) -> None:
    factories.register("webui", now=now, requires=["logsvc"])
    factories.passing("logsvc", now=now)

    assert len(claim(now)) == 1
    assert claim(now) == []
    assert len(claim(now + timedelta(seconds=cursors.LEASE_SECONDS))) == 1


def test_a_delivery_whose_claim_was_lost_moves_no_cursor(now: datetime) -> None:
    start = factories.register("webui", now=now, requires=["logsvc"]).revision
    factories.passing("logsvc", now=now)
    (lost,) = claim(now)
    claim(now + timedelta(seconds=cursors.LEASE_SECONDS))

    cursors.record([answered(lost, 204)], now=now)

    assert Cursor.objects.get().notified_revision == start


def test_for_a_day_after_a_rotation_both_secrets_sign(now: datetime) -> None:
    new = "whsec_" + "B" * 32
    factories.register("webui", now=now, requires=["logsvc"])
    factories.register(
        "webui", now=now, requires=["logsvc"], notify_url="http://127.0.0.1:9000/notify", notify_secret=new
    )
    factories.passing("logsvc", now=now)

    (message,) = claim(now)
    (later,) = claim(now + timedelta(hours=24))

    assert message.secrets == (new, factories.SECRET)
    assert later.secrets == (new,)


@pytest.mark.parametrize("is_recorded", [True, False])
def test_what_may_have_arrived_is_followed_up_though_it_was_undone_since(now: datetime, is_recorded: bool) -> None:
    factories.register("webui", now=now, requires=["logsvc"])
    factories.passing("logsvc", now=now)
    (doubtful,) = claim(now)
    if is_recorded:
        cursors.record([answered(doubtful, 504)], now=now)
    registration.deregister(declaration.instance_key("logsvc", "logsvc-1"), author="tester", now=now)

    (message,) = claim(now + timedelta(seconds=cursors.LEASE_SECONDS))

    assert message.from_revision == doubtful.from_revision
    assert data_of(message)["added"] == data_of(message)["removed"] == []


@pytest.mark.parametrize("is_in_doubt", [False, True])
def test_what_was_put_back_unsent_leaves_no_doubt_of_its_own(now: datetime, is_in_doubt: bool) -> None:
    factories.register("webui", now=now, requires=["logsvc"])
    factories.passing("logsvc", now=now)
    messages = claim(now)
    if is_in_doubt:
        now += timedelta(seconds=cursors.LEASE_SECONDS)
        messages = claim(now)
    cursors.put_back(messages, now=now)
    registration.deregister(declaration.instance_key("logsvc", "logsvc-1"), author="tester", now=now)

    assert len(claim(now + timedelta(seconds=cursors.PUT_BACK_SECONDS))) == is_in_doubt
    assert is_in_doubt or Cursor.objects.get().scanned_revision == log.head()


def test_who_lags_very_far_is_told_to_ask_for_the_whole(now: datetime) -> None:
    factories.register("webui", now=now, requires=["logsvc"])
    factories.passing("logsvc", now=now)

    (message,) = cursors.claim(now=now, limit=100, most_revisions=1)

    assert data_of(message)["resync"] is True
    assert data_of(message)["added"] == []


def test_who_lags_very_far_and_missed_nothing_is_told_nothing(now: datetime) -> None:
    factories.register("webui", now=now, requires=["logsvc", "grading"])
    for number in range(5):
        factories.register("other", f"other-{number}", now=now)

    assert cursors.claim(now=now, limit=100, most_revisions=1) == []
    assert Cursor.objects.get().scanned_revision == 6

    factories.passing("grading", now=now)
    (message,) = cursors.claim(now=now, limit=100, most_revisions=1)
    assert data_of(message)["resync"] is True


def test_who_would_be_told_more_than_a_server_takes_is_told_to_ask_for_the_whole(now: datetime) -> None:
    factories.register("webui", now=now, requires=["logsvc"])
    metadata = {f"name-{number}": "\N{GRINNING FACE}" * 512 for number in range(64)}
    for number in range(10):
        factories.passing("logsvc", f"logsvc-{number}", now=now, metadata=metadata)

    (message,) = claim(now)
    data = data_of(message)
    cursors.record([answered(message, 204)], now=now)

    assert len(message.body) < 1_000_000
    assert data["resync"] is True
    assert data["added"] == data["changed"] == data["removed"] == []
    assert Cursor.objects.get().notified_revision == message.to_revision


def test_a_change_with_many_dependents_costs_as_many_statements_as_with_one(
    now: datetime, django_assert_max_num_queries: Any
) -> None:
    for number in range(40):
        factories.register("webui", f"webui-{number}", now=now, requires=["logsvc"])
    factories.passing("logsvc", now=now)

    with django_assert_max_num_queries(12):
        messages = claim(now)
        cursors.record([answered(message, 204) for message in messages], now=now)

    assert len(messages) == 40
    assert not cursors.lagging(now=now.timestamp())


def test_dependents_that_require_very_many_services_keep_nobody_from_being_told(now: datetime) -> None:
    with factories.few_parameters():
        factories.register("webui", now=now, requires=["grading"])
        for number in range(20):
            factories.register("greedy", f"greedy-{number}", now=now, requires=[f"s{number}-{i}" for i in range(100)])
        factories.passing("grading", now=now)

        told = cursors.claim(now=now, limit=1000)

    assert [message.service for message in told] == ["webui"]


@pytest.mark.parametrize("how", ["claimed", "refused", "refused for an hour", "put back"])
def test_nothing_that_a_clock_ahead_has_stored_keeps_a_dependent_waiting(how: str, now: datetime) -> None:
    factories.register("webui", now=now, requires=["logsvc"])
    factories.passing("logsvc", now=now)
    ahead = now + timedelta(hours=1)
    (message,) = claim(ahead)
    if how == "put back":
        cursors.put_back([message], now=ahead)
    elif how != "claimed":
        retry_after = 3600.0 if how == "refused for an hour" else None
        cursors.record([answered(message, 500, retry_after_seconds=retry_after)], now=ahead)
    back = now + timedelta(seconds=2)

    assert cursors.lagging(now=back.timestamp())
    assert len(claim(back)) == 1


def test_a_claim_holds_though_the_clock_of_another_host_is_behind(now: datetime) -> None:
    factories.register("webui", now=now, requires=["logsvc"])
    factories.passing("logsvc", now=now)
    assert len(claim(now)) == 1

    behind = now - timedelta(seconds=SKEW_SECONDS)
    assert claim(behind) == []
    assert not cursors.lagging(now=behind.timestamp())


def test_an_hour_that_a_receiver_asked_for_is_waited_for(now: datetime) -> None:
    factories.register("webui", now=now, requires=["logsvc"])
    factories.passing("logsvc", now=now)
    (message,) = claim(now)
    cursors.record([answered(message, 503, retry_after_seconds=3600.0)], now=now)

    assert claim(now + timedelta(seconds=3599)) == []
    assert len(claim(now + timedelta(seconds=3600))) == 1


def test_an_answer_is_stored_with_what_would_move_a_terminal_escaped(now: datetime) -> None:
    factories.register("webui", now=now, requires=["logsvc"])
    factories.passing("logsvc", now=now)
    (message,) = claim(now)

    async def concluded() -> Attempt:
        sender = Sender(AddressPolicy([]))
        try:
            return sender.conclude(message, Outcome(status=500, body="\x1b[31mno\n\u202eway\0".encode()))
        finally:
            await sender.close()

    cursors.record([asyncio.run(concluded())], now=now)

    assert Delivery.objects.get().answer == r"\x1b[31mno\n\u202eway\x00"


def test_a_secret_is_encrypted_in_the_database_and_signs_as_it_was_given(now: datetime) -> None:
    factories.register("webui", now=now, requires=["logsvc"])
    factories.register("webui", now=now, requires=["logsvc"])
    factories.passing("logsvc", now=now)

    (message,) = claim(now)

    assert message.secrets == (factories.SECRET,)
    with connection.cursor() as cursor:
        cursor.execute("SELECT notify_secret, previous_notify_secret FROM registry_instance WHERE service = 'webui'")
        stored, previous = cursor.fetchone()
    assert stored.startswith("fernet:")
    # Registered again with the same one: that is no rotation.
    assert previous is None
