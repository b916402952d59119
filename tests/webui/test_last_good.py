from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import Settings

from webui import last_good
from webui.upstream.exchange import UpstreamDown


def away() -> str:
    raise UpstreamDown("logsvc", since=timezone.now(), reason="refused")


def test_the_last_good_answer_is_kept_with_its_age_and_the_reason() -> None:
    good = last_good.ask("key", lambda: "good")
    later = last_good.ask("key", away)
    assert (later.value, later.at) == ("good", good.at)
    assert later.outage
    assert last_good.ask("key", lambda: "better").outage is None


def test_without_a_good_answer_there_is_none() -> None:
    answer = last_good.ask("key", away)
    assert (answer.value, answer.at) == (None, None)
    assert answer.outage


def test_many_who_look_at_once_ask_once(settings: Settings) -> None:
    settings.ANSWERS_FRESH_SECONDS = 60.0
    asked: list[int] = []

    def question() -> int:
        asked.append(1)
        return len(asked)

    assert [last_good.ask("key", question).value for _ in range(5)] == [1] * 5


def test_an_answer_that_a_clock_ahead_has_dated_is_asked_for_anew(settings: Settings) -> None:
    settings.ANSWERS_FRESH_SECONDS = 60.0
    last_good.answers().put("key", last_good.Answer(value="old", at=timezone.now() + timedelta(hours=1)))

    assert last_good.ask("key", lambda: "new").value == "new"


@pytest.mark.parametrize("key", ["with blanks and\ncontrol", "long" * 200])
def test_any_text_makes_a_key(key: str) -> None:
    assert last_good.ask(key, lambda: 1).value == 1
