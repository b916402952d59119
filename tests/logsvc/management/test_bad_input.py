"""A command that cannot do what it is asked says so in one sentence."""

import time

import pytest
from django.db import connections

from config.tokens.models import Token
from tests.calling import REFUSED, Call, caller, refused
from tests.logsvc.factories import DAY_NS, keep, record

pytestmark = pytest.mark.django_db


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Call:
    monkeypatch.setattr(connections, "close_all", lambda: None)
    return caller(capsys)


@pytest.mark.parametrize("arguments", REFUSED, ids=" ".join)
def test_what_cannot_be_done_is_refused_in_one_sentence(call: Call, arguments: tuple[str, ...]) -> None:
    assert refused(call(*arguments))
    assert not Token.objects.exists()


def test_a_time_that_begins_with_a_minus_is_given_as_the_documentation_writes_it(call: Call) -> None:
    now_ns = time.time_ns()
    long_ago = record("long ago", time_ns=now_ns - 2 * DAY_NS)
    keep(record("just now", time_ns=now_ns), long_ago, received_ns=now_ns)

    said = call("search_logs", "service:grading", "--from", "-1h")

    assert (said.code, said.out.count("just now"), said.out.count("long ago")) == (0, 1, 0)
    assert call("export_logs", "--from", "-1d").out.count("\n") == 1


def test_what_is_wrong_with_a_query_is_said_once(call: Call) -> None:
    assert refused(call("search_logs", "foo:1")).count("there is no field 'foo'") == 1
