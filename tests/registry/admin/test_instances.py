from datetime import datetime

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from registry.models import Cursor, Heartbeat, Instance, JournalEntry, Maintenance
from tests import factories

pytestmark = pytest.mark.django_db

LIST = "/admin/registry/instance/"


@pytest.fixture
def operator(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("ann"))
    return client


def act(client: Client, action: str, *instances: Instance) -> str:
    data = {"action": action, "_selected_action": [str(each.pk) for each in instances]}
    return client.post(LIST, data, follow=True).content.decode()


def test_every_list_and_an_instance_are_shown_without_its_secret(operator: Client, now: datetime) -> None:
    instance = factories.passing("webui", now=now, requires=["logsvc"])

    assert "webui" in operator.get(LIST).content.decode()
    page = operator.get(f"{LIST}{instance.pk}/change/").content.decode()
    assert "whsec_" not in page
    for name in ("journalentry", "delivery"):
        assert operator.get(f"/admin/registry/{name}/").status_code == 200


def test_maintenance_begins_and_ends_naming_who_is_affected(operator: Client, now: datetime) -> None:
    logsvc = factories.passing("logsvc", now=now)
    factories.register("webui", now=now, requires=["logsvc"])

    assert "Required by webui." in act(operator, "begin_maintenance", logsvc)
    assert Instance.objects.get(service="logsvc").shown_status == "maintenance"
    act(operator, "end_maintenance", logsvc)

    assert not Maintenance.objects.exists()
    entry = JournalEntry.objects.first()
    assert entry is not None
    assert entry.author == "admin:ann"


def test_an_instance_is_probed_drained_told_again_and_deregistered(operator: Client, now: datetime) -> None:
    webui = factories.passing("webui", now=now, requires=["logsvc"])

    act(operator, "probe_now", webui)
    assert Heartbeat.objects.get().lease_until == 0
    act(operator, "resync", webui)
    assert Cursor.objects.get().needs_resync
    act(operator, "drain", webui)
    assert Instance.objects.get().shown_status == "draining"
    operator.post(LIST, {"action": "delete_selected", "_selected_action": [str(webui.pk)], "post": "yes"})

    assert not Instance.objects.exists()
    assert JournalEntry.objects.filter(change="deregistered", author="admin:ann").count() == 1


def test_who_may_only_look_may_not_act(client: Client, now: datetime) -> None:
    instance = factories.passing("logsvc", now=now)
    visitor = User.objects.create_user("bob", is_staff=True)
    visitor.user_permissions.add(Permission.objects.get(codename="view_instance"))
    client.force_login(visitor)

    act(client, "begin_maintenance", instance)

    assert not Maintenance.objects.exists()
