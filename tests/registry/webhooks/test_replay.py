from datetime import datetime

import msgspec
import pytest

from config.problems import Conflict
from registry.errors import UnknownDelivery, UnknownInstance, UnknownRevision
from registry.journal import log
from registry.models import Cursor, Delivery, InstanceKey
from registry.webhooks import cursors, replay
from registry.webhooks.compose import Message
from registry.webhooks.cursors import Attempt
from tests import factories

pytestmark = pytest.mark.django_db

WEBUI = InstanceKey(service="webui", instance="webui-1")


def told(now: datetime) -> list[Message]:
    """Claim what is to be sent and answer it all with 204."""
    messages = cursors.claim(now=now, limit=100)
    attempts = [Attempt(message=each, status_code=204, duration_ms=1.0, error="") for each in messages]
    cursors.record(attempts, now=now)
    return messages


def test_a_replay_tells_the_net_change_from_a_revision_on(now: datetime) -> None:
    start = factories.register("webui", now=now, requires=["logsvc"]).revision
    factories.passing("logsvc", now=now)
    (first,) = told(now)
    assert told(now) == []

    replay.since(WEBUI, start)
    (again,) = told(now)

    assert again.id == first.id
    replay.delivery(WEBUI, Delivery.objects.earliest("pk").pk)
    assert told(now)[0].id == first.id
    assert msgspec.json.decode(again.body)["data"] == msgspec.json.decode(first.body)["data"]


def test_after_a_restored_copy_every_dependent_is_told_to_ask_for_the_whole(now: datetime) -> None:
    factories.register("webui", now=now, requires=["logsvc"])
    before = log.position()

    assert replay.begin_history() == 1

    assert log.position().history != before.history
    assert [msgspec.json.decode(each.body)["data"]["resync"] for each in told(now)] == [True]


def test_a_replay_from_a_revision_that_is_not_kept_says_which_are(now: datetime) -> None:
    factories.register("webui", now=now, requires=["logsvc"])

    with pytest.raises(UnknownRevision, match="from 0 to 1"):
        replay.since(WEBUI, 2)


def test_a_resync_is_told_though_nothing_changed_and_only_once(now: datetime) -> None:
    factories.register("webui", now=now, requires=["logsvc"])
    factories.register("mail", now=now, requires=["logsvc"])

    assert replay.resync() == 2
    messages = told(now)

    assert [msgspec.json.decode(each.body)["data"]["resync"] for each in messages] == [True, True]
    assert told(now) == []
    assert replay.resync([WEBUI]) == 1


def test_a_resync_reaches_a_dependent_that_had_answered_410(now: datetime) -> None:
    factories.register("webui", now=now, requires=["logsvc"])
    Cursor.objects.update(is_stopped=True)

    replay.resync()

    assert len(told(now)) == 1


def test_what_takes_no_webhooks_cannot_be_told(now: datetime) -> None:
    factories.register("logsvc", now=now)

    with pytest.raises(Conflict, match="notify_url"):
        replay.since(InstanceKey(service="logsvc", instance="logsvc-1"), 0)
    with pytest.raises(UnknownInstance):
        replay.resync([WEBUI])


def test_a_trial_is_signed_with_the_dependents_secret(now: datetime) -> None:
    factories.register("webui", now=now, requires=["logsvc"])

    message = replay.trial(WEBUI, now=now)

    assert message.secrets == (factories.SECRET,)
    assert msgspec.json.decode(message.body)["type"] == "registry.test"


def test_only_its_own_deliveries_are_told_a_dependent_again(now: datetime) -> None:
    factories.register("webui", now=now, requires=["logsvc"])
    factories.register("other", now=now, requires=["logsvc"])
    factories.passing("logsvc", now=now)
    told(now)
    theirs = Delivery.objects.get(service="other")

    with pytest.raises(UnknownDelivery):
        replay.delivery(WEBUI, theirs.pk)
