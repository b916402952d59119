"""Those who come to the admin."""

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.core.management import call_command
from django.test import Client

from registry.admin import cells
from registry.management.commands.provision import Command as Provision
from registry.models import InstanceKey

LIST = "/admin/registry/instance/"


@pytest.fixture
def operator(client: Client, db: None) -> Client:
    """One of the group that `provision` makes, and nothing more than that."""
    # By its class, because another service has a command of this name.
    call_command(Provision())
    ann = User.objects.create_user("ann", is_staff=True)
    ann.groups.add(Group.objects.get(name="operators"))
    client.force_login(ann)
    return client


@pytest.fixture
def visitor(client: Client, db: None) -> Client:
    """Somebody who may look at instances and no more."""
    bob = User.objects.create_user("bob", is_staff=True)
    bob.user_permissions.add(Permission.objects.get(codename="view_instance"))
    client.force_login(bob)
    return client


def text_of(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, address
    return answer.content.decode()


def operate(client: Client, name: str, *targets: str, **given: object) -> str:
    """Ask for an operation, and fill in its form; returns the page that follows."""
    address = cells.operation_url(name, [_target(each) for each in targets])
    text_of(client, address)
    return client.post(address, given, follow=True).content.decode()


def _target(written: str) -> InstanceKey:
    service, _, instance = written.partition("/")
    return InstanceKey(service=service, instance=instance)
