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


def test_it_says_what_it_did(settings: Settings) -> None:
    settings.SERVICE_TOKENS = {"logsvc": "rct_logsvc"}

    assert provision().splitlines() == [
        "Made known the tokens of logsvc, webui-operators.",
        "The account 'operator': created.",
    ]
    settings.SERVICE_TOKENS = {"logsvc": "rct_another"}
    settings.OPERATOR_PASSWORD = "another"
    assert provision().splitlines() == [
        "Made known the tokens of logsvc.",
        "Unchanged: the tokens of webui-operators.",
        "The account 'operator': given the password of this installation.",
    ]


def test_the_accounts_are_told_as_json(settings: Settings) -> None:
    settings.OPERATOR_PASSWORD = "o-secret"

    assert json.loads(provision("--json")) == {"operator": "o-secret"}
    assert User.objects.get().check_password("o-secret")
