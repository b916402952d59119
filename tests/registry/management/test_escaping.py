"""Text of others that would act on the terminal: refused where it comes in, escaped wherever it is shown."""

from contextlib import suppress
from datetime import datetime
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from config.problems import Invalid
from registry.instances import declaration
from registry.models import Instance, JournalEntry
from tests import factories
from tests.registry.admin.conftest import LIST, operator, text_of

__all__ = ["operator"]
pytestmark = pytest.mark.django_db
EVIL = "\x1b]0;mine\x07\x1b[2J\u202egnp\nservice-2  passing\u200b"
ACTING = ("\x1b", "\x07", "\u202e", "\u200b", "\nservice-2")


def output_of(name: str, *arguments: str) -> str:
    output = StringIO()
    with suppress(SystemExit):
        call_command(name, *arguments, stdout=output)
    return output.getvalue()


def evil_instance(now: datetime) -> Instance:
    """An instance as an answer to a probe, or an older version, may have left it."""
    instance = factories.passing("logsvc", now=now)
    Instance.objects.update(status_reason=EVIL, override_reason=EVIL, is_in_maintenance=True, zone=EVIL[:100])
    JournalEntry.objects.update(reason=EVIL, author=EVIL[:100])
    return instance


@pytest.mark.parametrize(
    "command", [("list_services",), ("check_service", "logsvc"), ("watch_services", "--after", "0", "--until", "2")]
)
def test_no_command_prints_what_acts_on_the_terminal(now: datetime, command: tuple[str, ...]) -> None:
    evil_instance(now)

    printed = output_of(*command)

    assert "\\x1b[2J" in printed
    assert not [each for each in ACTING if each in printed]


@pytest.mark.parametrize("command", [("list_services", "--json"), ("check_service", "logsvc", "--json")])
def test_json_is_printed_in_ascii(now: datetime, command: tuple[str, ...]) -> None:
    evil_instance(now)

    assert output_of(*command).isascii()


def test_no_page_of_the_admin_shows_it_as_it_is(operator: Client, now: datetime) -> None:
    instance = evil_instance(now)

    for address in (
        "/admin/",
        LIST,
        f"{LIST}services/",
        f"{LIST}services/logsvc/",
        f"{LIST}{instance.pk}/change/",
        "/admin/registry/journalentry/",
    ):
        page = text_of(operator, address)
        assert not [each for each in ("\x1b", "\x07", "\u202e", "\u200b") if each in page], address


@pytest.mark.parametrize(
    "members",
    [{"zone": EVIL}, {"version": "\x7f"}, {"tags": ["\u202e"]}, {"metadata": {"\n": ""}}, {"incarnation": "\u2028"}],
)
def test_a_registration_with_it_is_refused(members: dict[str, Any]) -> None:
    with pytest.raises(Invalid) as refused:
        declaration.declaration({"url": "http://127.0.0.1:9000", **members})

    assert "leave it out" in str(refused.value.errors)


def test_a_reason_with_it_is_refused(now: datetime) -> None:
    factories.passing("logsvc", now=now)

    with pytest.raises(CommandError, match="leave it out"):
        call_command("maintenance", "logsvc", "--reason", EVIL)
