"""A command that cannot do what it is asked says so in one sentence."""

import pytest
from django.db import connections

from config.tokens.models import Token
from tests.calling import REFUSED, Call, caller, refused

pytestmark = pytest.mark.django_db


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Call:
    monkeypatch.setattr(connections, "close_all", lambda: None)
    return caller(capsys)


@pytest.mark.parametrize("arguments", [*REFUSED, ("load_demo", "again"), ("load_demo", "--force")], ids=" ".join)
def test_what_cannot_be_done_is_refused_in_one_sentence(call: Call, arguments: tuple[str, ...]) -> None:
    assert refused(call(*arguments))
    assert not Token.objects.exists()
