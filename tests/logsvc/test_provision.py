from io import StringIO

import pytest
from django.core.management import call_command
from pytest_django import Settings

from config.tokens import issuing
from logsvc.management.commands import provision

pytestmark = pytest.mark.django_db


def run() -> str:
    out = StringIO()
    call_command(provision.Command(), stdout=out)
    return out.getvalue()


def test_every_service_may_log_for_itself_and_the_web_ui_may_read_too(settings: Settings) -> None:
    settings.SERVICE_TOKENS = {"grading": "secret-of-grading", "webui": "secret-of-webui"}

    assert run() == run() == ""

    assert issuing.holder("secret-of-grading").scopes == {"write:grading"}
    assert issuing.holder("secret-of-webui").scopes == {"log:read", "write:webui"}
    assert issuing.holder("secret-of-webui").name == "webui"
