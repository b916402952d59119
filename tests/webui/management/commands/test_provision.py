import json
from io import StringIO

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from pytest_django import Settings

from webui import accounts
from webui.management.commands.provision import Command
from webui.roles import Role, roles_of

PASSWORDS = {"teacher": "t-secret", "assistant": "a-secret", "student": "s-secret", "operator": "o-secret"}


@pytest.fixture(autouse=True)
def _passwords(settings: Settings, db: None) -> None:
    settings.DEMO_PASSWORDS = PASSWORDS


def provide(**passwords: str) -> None:
    accounts.provide(passwords=PASSWORDS | passwords)


def test_the_accounts_are_made_each_with_its_role() -> None:
    provide()
    roles = {user.username: roles_of(user) for user in User.objects.all()}
    assert roles == {
        "teacher": {Role.TEACHER},
        "assistant": {Role.ASSISTANT},
        "student": {Role.STUDENT},
        "operator": {Role.OPERATOR},
    }


def test_an_account_signs_in_with_its_password(client: Client) -> None:
    provide()
    assert client.login(username="operator", password="o-secret")


def test_providing_again_ends_nobodys_session(client: Client) -> None:
    provide()
    client.login(username="teacher", password="t-secret")
    provide()
    assert client.get("/").headers["Location"] == "/courses"


def test_a_new_password_takes_the_old_ones_place(client: Client) -> None:
    provide()
    provide(teacher="another")
    assert client.login(username="teacher", password="another")
    assert not client.login(username="teacher", password="t-secret")


def test_the_command_prints_the_passwords_as_a_table() -> None:
    assert "teacher    t-secret" in provision()


def test_the_command_prints_the_passwords_for_scripts() -> None:
    assert json.loads(provision("--json")) == PASSWORDS


def provision(*arguments: str) -> str:
    out = StringIO()
    # By its class: in the whole suite's settings other services have a command of this name, too.
    call_command(Command(), *arguments, stdout=out)
    return out.getvalue()
