from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, User
from django.test import Client

from registry.admin import cells
from registry.models import InstanceKey
from tests.registry.admin.conftest import LIST, in_role

pytestmark = pytest.mark.django_db

PAGES = {
    "viewer": ["/admin/", LIST, f"{LIST}services/", "/admin/registry/journalentry/", "/admin/registry/delivery/"],
    "operator": ["/admin/admin/logentry/"],
    "administrator": ["/admin/tokens/token/", "/admin/tokens/auditentry/", "/admin/auth/user/", "/admin/settings/"],
}
ROLES = list(PAGES)


@pytest.mark.parametrize("role", ROLES)
def test_each_role_sees_its_own_pages_and_those_of_the_roles_before_it(client: Client, role: str) -> None:
    person = in_role(client, role, "ann")
    allowed = ROLES[: ROLES.index(role) + 1]

    for owner, addresses in PAGES.items():
        for address in addresses:
            assert person.get(address).status_code == (200 if owner in allowed else 403), address


@pytest.mark.parametrize(("role", "status"), [("viewer", 403), ("operator", 200), ("administrator", 200)])
def test_an_operation_wants_at_least_an_operator(client: Client, role: str, status: int) -> None:
    target = InstanceKey(service="webui", instance="webui-1")

    assert in_role(client, role, "ann").get(cells.operation_url("drain", [target])).status_code == status


def test_an_administrator_makes_nobody_a_superuser_and_touches_none(client: Client) -> None:
    administrator = in_role(client, "administrator", "ann")
    root = User.objects.create_superuser("root")
    ann = User.objects.get(username="ann")

    form = {"username": "ann", "is_staff": "on", "is_active": "on", "is_superuser": "on"}
    administrator.post(f"/admin/auth/user/{ann.pk}/change/", form)
    for page, given in (
        ("change", form),
        ("delete", {"post": "yes"}),
        ("password", {"password1": "x", "password2": "x"}),
    ):
        assert administrator.post(f"/admin/auth/user/{root.pk}/{page}/", given).status_code == 403

    ann.refresh_from_db()
    assert not ann.is_superuser


def test_members_of_the_former_group_become_operators(client: Client) -> None:
    former = Group.objects.create(name="operators")
    bob = User.objects.create_user("bob")
    bob.groups.add(former)

    make_roles: Any = import_module("registry.migrations.0011_roles").make_roles
    make_roles(apps, None)

    assert [each.name for each in bob.groups.all()] == ["operator"]
