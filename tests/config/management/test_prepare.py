import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError
from pytest_django import Settings

from config.commands import Command
from config.management.commands import prepare


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The commands that a service which has both was prepared with."""
    names: list[str] = []

    class Provision(Command):
        def add_arguments(self, parser: Any) -> None:
            parser.add_argument("--json", action="store_true")

        def run(self, **options: Any) -> None:
            names.append("provision")
            self.print_json({"operator": "secret"} if options["json"] else {})

    class LoadDemo(Command):
        def run(self, **options: Any) -> None:
            names.append("load_demo")
            self.stdout.write("Loaded.")

    commands: dict[str, type[Command]] = {"provision": Provision, "load_demo": LoadDemo}
    monkeypatch.setattr(prepare, "get_commands", lambda: dict.fromkeys(commands, "somewhere"))
    monkeypatch.setattr(prepare, "load_command_class", lambda app, name: commands[name]())
    return names


def prepared() -> dict[str, Any]:
    output = StringIO()
    call_command("prepare", json=True, stdout=output)
    result: dict[str, Any] = json.loads(output.getvalue())
    return result


@pytest.mark.django_db
def test_a_service_is_migrated_provisioned_and_loaded(ran: list[str]) -> None:
    assert prepared() == {"migrations": 0, "accounts": {"operator": "secret"}}
    assert ran == ["provision", "load_demo"]


@pytest.mark.django_db
def test_a_service_without_commands_is_only_migrated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prepare, "get_commands", dict)
    assert prepared() == {"migrations": 0, "accounts": {}}


@pytest.mark.django_db
def test_without_json_no_password_is_printed(ran: list[str]) -> None:
    output = StringIO()
    call_command("prepare", stdout=output)
    assert "secret" not in output.getvalue()


def test_a_database_that_is_away_is_told_with_its_setting(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    def fail() -> int:
        raise OperationalError("connection refused\n\tIs the server running?")

    monkeypatch.setattr(prepare, "migrate", fail)
    with pytest.raises(CommandError, match=rf"set {settings.SERVICE.variable_prefix}_DATABASE_URL") as caught:
        call_command("prepare")
    assert "\n" not in str(caught.value)
    assert caught.value.returncode == 2
