from datetime import datetime, timedelta
from unittest.mock import patch

import pytest
from django.contrib.admin.models import DELETION, LogEntry
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.utils import timezone

from registry.admin import cells
from registry.admin.operations import OPERATIONS
from registry.health import protection
from registry.models import Cursor, Heartbeat, Instance, InstanceKey, JournalEntry, Maintenance, Protection
from registry.webhooks import sender
from registry.webhooks.cursors import Attempt
from tests import factories
from tests.registry.admin.conftest import LIST, operate, text_of

pytestmark = pytest.mark.django_db


def journalled() -> tuple[str, str, str]:
    entry = JournalEntry.objects.first()
    assert entry is not None
    return entry.change, entry.author, entry.reason


def logged() -> tuple[str, str, str]:
    entry = LogEntry.objects.latest("pk")
    return entry.user.get_username(), entry.object_repr, entry.change_message


def test_maintenance_has_a_reason_and_an_end_and_can_be_lifted(operator: Client, now: datetime) -> None:
    factories.passing("logsvc", now=now)

    operate(operator, "maintenance", "logsvc/logsvc-1", reason="a new disk", minutes=30)

    maintenance = Maintenance.objects.get()
    assert maintenance.until is not None
    assert maintenance.until - maintenance.since == timedelta(minutes=30)
    assert Instance.objects.get().shown_status == "maintenance"
    assert journalled() == ("maintenance", "admin:ann", "a new disk")
    user, subject, message = logged()
    assert (user, subject) == ("ann", "logsvc/logsvc-1")
    assert "a new disk" in message

    operate(operator, "end-maintenance", "logsvc/logsvc-1", reason="done")

    assert not Maintenance.objects.exists()
    assert journalled() == ("maintenance-ended", "admin:ann", "done")


def test_maintenance_wants_a_reason(operator: Client, now: datetime) -> None:
    factories.passing("logsvc", now=now)

    assert "This field is required" in operate(operator, "maintenance", "logsvc/logsvc-1", minutes=30)
    assert not Maintenance.objects.exists()
    assert not LogEntry.objects.exists()


def test_a_whole_service_is_put_into_maintenance(operator: Client, now: datetime) -> None:
    for number in (1, 2):
        factories.passing("logsvc", f"logsvc-{number}", now=now)

    operate(operator, "maintenance", "logsvc", reason="moving house")

    assert {each.shown_status for each in Instance.objects.all()} == {"maintenance"}
    assert Maintenance.objects.get().until is None
    assert logged()[1] == "logsvc"


def test_an_instance_is_drained_for_as_long_as_was_said(operator: Client, now: datetime) -> None:
    factories.passing("logsvc", now=now)

    before = timezone.now()
    operate(operator, "drain", "logsvc/logsvc-1", seconds=120, reason="")
    after = timezone.now()

    until = Instance.objects.get().draining_until
    assert until is not None
    assert before <= until - timedelta(seconds=120) <= after
    assert journalled()[:2] == ("draining", "admin:ann")


def test_before_it_is_deregistered_everybody_who_is_affected_is_named(operator: Client, now: datetime) -> None:
    factories.passing("logsvc", now=now)
    factories.passing("grading", now=now, requires=["logsvc"])
    factories.passing("webui", now=now, requires=["grading"])
    address = cells.operation_url("deregister", [InstanceKey(service="logsvc", instance="logsvc-1")])

    asked = " ".join(text_of(operator, address).split())

    assert "logsvc: 1 goes, and no instance is left." in asked
    assert "Required by grading. Behind it: webui." in asked
    assert Instance.objects.filter(service="logsvc").exists()


def test_what_is_deregistered_leaves_its_author_in_the_journal_and_in_the_log(operator: Client, now: datetime) -> None:
    factories.passing("logsvc", now=now)

    assert "Deregistered: logsvc/logsvc-1." in operate(operator, "deregister", "logsvc/logsvc-1", reason="replaced")

    assert not Instance.objects.exists()
    assert journalled() == ("deregistered", "admin:ann", "replaced")
    assert LogEntry.objects.get().action_flag == DELETION


def test_a_dependent_gets_a_redelivery_and_a_resync(operator: Client, now: datetime) -> None:
    factories.passing("logsvc", now=now)
    factories.passing("webui", now=now, requires=["logsvc"])

    operate(operator, "replay", "webui/webui-1", since=1)
    assert Cursor.objects.get().notified_revision == 1
    operate(operator, "resync", "webui/webui-1")

    assert Cursor.objects.get().needs_resync
    assert LogEntry.objects.filter(object_repr="webui/webui-1").count() == 2


def test_what_cannot_be_done_is_said_and_not_logged(operator: Client, now: datetime) -> None:
    factories.passing("logsvc", now=now)

    page = operate(operator, "resync", "logsvc/logsvc-1")

    assert "takes no webhooks" in page
    assert not LogEntry.objects.exists()


def test_of_several_all_are_operated_on_or_none(operator: Client, now: datetime) -> None:
    factories.passing("webui", now=now, requires=["logsvc"])
    factories.passing("logsvc", now=now)

    operate(operator, "resync", "webui/webui-1", "logsvc/logsvc-1")

    assert not Cursor.objects.get().needs_resync


def test_a_probe_is_brought_forward(operator: Client, now: datetime) -> None:
    factories.passing("logsvc", now=timezone.now() + timedelta(hours=1))
    Heartbeat.objects.update(lease_until=0)

    operate(operator, "probe", "logsvc/logsvc-1")

    assert Heartbeat.objects.get().due_at <= timezone.now().timestamp()
    assert logged()[1] == "logsvc/logsvc-1"


def test_what_a_test_webhook_was_answered_is_said(operator: Client, now: datetime) -> None:
    factories.passing("webui", now=now, requires=["logsvc"])

    def refuse(message: object) -> Attempt:
        return Attempt(message=message, status_code=500, duration_ms=12.0, error="answered 500")  # type: ignore[arg-type]  # only what came of it is shown

    with patch.object(sender, "send_now", refuse):
        page = operate(operator, "trial", "webui/webui-1")

    assert "webui/webui-1 failed: answered 500 (status 500 after 12 ms)" in page
    assert "failed: answered 500" in logged()[2]


def test_protection_is_shown_with_its_reason_and_ended(operator: Client, now: datetime) -> None:
    at = timezone.now().timestamp()
    Protection.objects.create(since=at, reason="50 of 100 instances failed at once", stirred_at=at)
    for address in ("/admin/", LIST, f"{LIST}services/"):
        page = text_of(operator, address)
        assert "50 of 100 instances failed at once" in page, address
        assert "It ends by itself when" in page

    operate(operator, "end-protection")

    assert not protection.situation(now=timezone.now()).is_active
    assert logged()[:2] == ("ann", "protection")
    assert "50 of 100" not in text_of(operator, LIST)


def test_the_secret_is_rotated_shown_once_and_logged_without_it(operator: Client, now: datetime) -> None:
    factories.passing("webui", now=now, requires=["logsvc"])
    target = InstanceKey(service="webui", instance="webui-1")

    answer = operator.post(cells.operation_url("rotate-secret", [target]), {"reason": "it leaked"})

    instance = Instance.objects.get()
    assert instance.notify_secret is not None
    assert instance.notify_secret in answer.content.decode()
    assert "no-store" in answer["Cache-Control"]
    assert instance.previous_notify_secret == factories.SECRET
    assert journalled() == ("changed", "admin:ann", "changed: notify_secret (it leaked)")
    assert logged()[1:] == ("webui/webui-1", "Rotated the webhook secret of webui/webui-1. Reason: it leaked")


def test_a_reason_without_control_characters_is_wanted(operator: Client, now: datetime) -> None:
    factories.passing("logsvc", now=now)

    assert "Leave out control" in operate(operator, "maintenance", "logsvc/logsvc-1", reason="\u202eevil", minutes=1)
    assert not Maintenance.objects.exists()


def test_what_is_probed_now_is_said_without_others_where_there_are_none(operator: Client, now: datetime) -> None:
    factories.passing("logsvc", now=timezone.now() + timedelta(hours=1))
    Heartbeat.objects.update(lease_until=0)

    page = operate(operator, "probe", "logsvc/logsvc-1")

    assert "Due to be probed now: 1 of 1." in page
    assert "being probed already" not in page


def test_of_several_only_those_are_probed_that_do_not_beat_by_themselves(operator: Client, now: datetime) -> None:
    factories.passing("logsvc", now=now)
    factories.passing("nightly", now=now, heartbeat={"kind": "ttl", "interval_seconds": 3600})
    Heartbeat.objects.update(lease_until=0)

    page = operate(operator, "probe", "logsvc/logsvc-1", "nightly/nightly-1")
    assert "Due to be probed now: 1 of 2. 1 beating by itself." in page

    page = operate(operator, "probe", "nightly/nightly-1")
    assert "nightly/nightly-1 beats by itself: there is nothing to probe." in page


def test_the_grace_after_a_restart_is_shown_and_ended(operator: Client, now: datetime) -> None:
    Protection.objects.create(resumed_at=timezone.now().timestamp())
    assert "the registry itself was away" in text_of(operator, LIST)

    assert "Protection has ended." in operate(operator, "end-protection")
    assert "the registry itself was away" not in text_of(operator, LIST)


@pytest.mark.parametrize("name", OPERATIONS)
def test_who_may_only_look_may_do_nothing(visitor: Client, now: datetime, name: str) -> None:
    factories.passing("webui", now=now, requires=["logsvc"])
    targets = [InstanceKey(service="webui", instance="webui-1")] if OPERATIONS[name].needs_targets else []
    revision = Instance.objects.get().revision

    assert visitor.get(cells.operation_url(name, targets)).status_code == 403
    assert visitor.post(cells.operation_url(name, targets), {"reason": "mine"}).status_code == 403

    assert Instance.objects.get().revision == revision
    assert not LogEntry.objects.exists()


def test_to_change_instances_is_not_to_operate_them(client: Client, now: datetime) -> None:
    factories.passing("webui", now=now)
    changer = User.objects.create_user("eve", is_staff=True)
    changer.user_permissions.set(Permission.objects.filter(codename__in=["view_instance", "change_instance"]))
    client.force_login(changer)

    target = InstanceKey(service="webui", instance="webui-1")
    assert client.post(cells.operation_url("probe", [target])).status_code == 403


@pytest.mark.parametrize(
    "address",
    [
        "operations/explode/?target=webui/webui-1",
        "operations/drain/",
        "operations/drain/?target=webui",
        "operations/drain/?target=No%20Name/x",
        "operations/end-protection/?target=webui",
        "operations/replay/?target=webui/a&target=webui/b",
        "services/nobody/",
    ],
)
def test_an_address_that_names_nothing_is_not_found(operator: Client, address: str) -> None:
    assert operator.get(f"{LIST}{address}").status_code == 404
