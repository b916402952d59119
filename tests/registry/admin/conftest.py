"""Clients signed in to the admin in each role."""

from importlib import import_module

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, Permission, User
from django.test import Client

from registry.admin import cells
from registry.models import InstanceKey

LIST = "/admin/registry/instance/"


def in_role(client: Client, role: str, name: str) -> Client:
    """Signed in as a member of one of the groups that the migration makes, and nothing more than that."""
    # Where all services share a database each adds its rights, and tests that empty all tables remove the groups.
    groups = Group.objects.filter(name=role)
    if apps.is_installed("webui") or not groups.exists():
        groups.delete()
        import_module("registry.migrations.0011_roles").make_roles(apps, None)
    person = User.objects.create_user(name, is_staff=True)
    person.groups.add(Group.objects.get(name=role))
    client.force_login(person)
    return client


@pytest.fixture
def operator(client: Client, db: None) -> Client:
    return in_role(client, "operator", "ann")


@pytest.fixture
def visitor(client: Client, db: None) -> Client:
    """An account that may view instances and no more."""
    bob = User.objects.create_user("bob", is_staff=True)
    bob.user_permissions.add(Permission.objects.get(codename="view_instance"))
    client.force_login(bob)
    return client


def text_of(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, address
    return answer.content.decode()


def operate(client: Client, name: str, *targets: str, **given: object) -> str:
    """Open an operation's confirmation page and submit its form; returns the page that follows."""
    address = cells.operation_url(name, [_target(each) for each in targets])
    text_of(client, address)
    return client.post(address, given, follow=True).content.decode()


def _target(written: str) -> InstanceKey:
    service, _, instance = written.partition("/")
    return InstanceKey(service=service, instance=instance)
