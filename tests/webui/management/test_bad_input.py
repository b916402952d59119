"""A command that cannot do what it is asked says so in one sentence."""

import pytest
from django.db import connections
from pytest_django import Settings

from config.tokens.models import Token
from tests.calling import REFUSED, Call, caller, refused

pytestmark = pytest.mark.django_db


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Call:
    monkeypatch.setattr(connections, "close_all", lambda: None)
    return caller(capsys)


@pytest.mark.parametrize("arguments", [*REFUSED, ("provision", "--yaml")], ids=" ".join)
def test_what_cannot_be_done_is_refused_in_one_sentence(call: Call, arguments: tuple[str, ...]) -> None:
    assert refused(call(*arguments))
    assert not Token.objects.exists()


def test_a_service_that_takes_no_tokens_makes_none(call: Call, settings: Settings) -> None:
    settings.TOKEN_SCOPES = []

    assert "This service takes no tokens" in refused(call("create_token", "ci", "--scope", "read"))
