"""The commands that `make up` runs before anything starts; by class, for other services' have the same names."""

import pytest
from django.core.management import call_command
from pytest_django import Settings

from config.tokens import issuing
from grading.management.commands import load_demo, provision
from grading.models import Course

pytestmark = pytest.mark.django_db


def test_provision_makes_the_web_uis_token_known_and_may_run_again(settings: Settings) -> None:
    call_command(provision.Command())
    call_command(provision.Command())
    holder = issuing.holder(settings.WEBUI_TOKEN)
    assert (holder.name, holder.scopes) == ("webui", frozenset({"read", "write", "act-for"}))


def test_load_demo_says_what_it_did(capsys: pytest.CaptureFixture[str]) -> None:
    call_command(load_demo.Command())
    call_command(load_demo.Command())
    assert capsys.readouterr().out.splitlines() == [
        "Loaded the course 'algebra-1', taught by 'teacher'.",
        "The course 'algebra-1' is there already.",
    ]
    assert Course.objects.count() == 1
