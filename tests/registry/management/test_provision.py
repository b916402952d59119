import json
from io import StringIO

import pytest
from django.contrib.auth.models import Group, User
from django.core.management import call_command
from pytest_django import Settings

from config.tokens.models import Token
from registry.management.commands.provision import Command

pytestmark = pytest.mark.django_db


def provision(*arguments: str) -> str:
    # By its class, because another service has a command of this name.
    output = StringIO()
    call_command(Command(), *arguments, stdout=output)
    return output.getvalue()


def test_a_second_time_changes_nothing() -> None:
    provision()
    tokens, groups = list(Token.objects.values()), list(Group.objects.values())
    provision()

    assert list(Token.objects.values()) == tokens
    assert list(Group.objects.values()) == groups
    assert User.objects.count() == 1


def test_the_operator_may_operate_by_a_permission_that_others_can_be_given_too() -> None:
    provision()

    operator = User.objects.get(username="operator")
    (group,) = operator.groups.all()
    names = set(group.permissions.values_list("codename", flat=True))
    assert "operate_instance" in names
    assert not [name for name in names if name.startswith(("change_", "delete_", "add_"))]


def test_the_accounts_are_told_as_json(settings: Settings) -> None:
    settings.OPERATOR_PASSWORD = "o-secret"

    assert json.loads(provision("--json")) == {"operator": "o-secret"}
    assert User.objects.get().check_password("o-secret")
