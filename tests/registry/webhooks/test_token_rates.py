import logging
from datetime import datetime, timedelta

import pytest
from pytest_django import Settings

from config.tokens import issuing
from config.tokens.models import Token
from registry.models import Cursor
from registry.webhooks.compose import Message
from registry.webhooks.token_rates import TokenRates
from registry.webhooks.worker import WebhookWorker
from tests import factories
from tests.clock import Clock
from tests.registry.taken import Taken

pytestmark = pytest.mark.django_db


class Telling:
    """A worker whose webhooks are all taken, and accepted."""

    def __init__(self, clock: Clock, now: datetime) -> None:
        self.counted: list[tuple[str, int]] = []
        self.taken = Taken[Message]()
        self.taken.room = 10_000
        rates = TokenRates(clock, count=lambda token, count: self.counted.append((token, count)))
        self.worker = WebhookWorker(pipeline=self.taken, wake=lambda: None, rates=rates)
        self._clock, self._now = clock, now

    def told(self, *, after_seconds: float = 0.0) -> list[str]:
        """Sweep after so long; returns who is told now."""
        self._clock.now += after_seconds
        self._now += timedelta(seconds=after_seconds)
        before = len(self.taken.taken)
        self.worker.sweep(now=self._now)
        return [message.service for message in self.taken.taken[before:]]


@pytest.fixture
def telling(settings: Settings, now: datetime) -> Telling:
    settings.TOKEN_LIMITS = {"webhooks_per_second": 1}
    issuing.create(name="tester", scopes=["register:*"])
    return Telling(Clock(), now)


def depend(
    count: int, service: str = "webui", *, now: datetime, host: str = "127.0.0.1", author: str = "tester"
) -> None:
    """Register so many dependents at one host, each with a port of its own."""
    for number in range(count):
        url = {"notify_url": f"http://{host}:{9000 + number}/", "notify_secret": factories.SECRET}
        factories.register(service, f"{service}-{number}", now=now, requires=["grading"], author=author, **url)


def test_one_host_is_sent_no_more_than_the_limit_and_who_waits_is_told_in_turn(telling: Telling, now: datetime) -> None:
    depend(13, now=now)
    factories.passing("grading", now=now)

    assert len(telling.told()) == 10
    assert [len(telling.told(after_seconds=1)) for _ in range(5)] == [1, 1, 1, 0, 0]
    assert len({message.instance_id for message in telling.taken.taken}) == 13


def test_who_waits_is_claimed_again_only_in_its_turn_and_it_counts_as_no_attempt(
    telling: Telling, now: datetime
) -> None:
    depend(13, now=now)
    factories.passing("grading", now=now)
    telling.told()

    waiting = Cursor.objects.filter(next_attempt_at__gt=0).order_by("next_attempt_at")
    assert [cursor.next_attempt_at - now.timestamp() for cursor in waiting] == [1, 2, 3]
    assert {(cursor.lease_until, cursor.attempts) for cursor in waiting} == {(0, 0)}


def test_another_host_and_another_token_are_told_at_once(telling: Telling, now: datetime) -> None:
    issuing.create(name="another", scopes=["register:*"])
    depend(12, now=now)
    depend(2, "elsewhere", now=now, host="10.0.0.8")
    depend(2, "theirs", now=now, author="another")
    factories.passing("grading", now=now)

    told = telling.told()

    assert (told.count("webui"), told.count("elsewhere"), told.count("theirs")) == (10, 2, 2)


def test_many_names_of_one_host_are_bounded_together(telling: Telling, now: datetime) -> None:
    for number in range(60):
        depend(1, f"s{number:02}", now=now, host=f"n{number}.victim.example")
    factories.passing("grading", now=now)

    assert len(telling.told()) == 50
    assert len(telling.told(after_seconds=1)) == 5


def test_a_token_has_the_limit_that_it_was_given_and_a_command_none(telling: Telling, now: datetime) -> None:
    Token.objects.filter(name="tester").update(limits={"webhooks_per_second": 0})
    depend(12, now=now)
    depend(12, "imported", now=now, author="command line")
    factories.passing("grading", now=now)

    assert len(telling.told()) == 24


def test_those_who_wait_are_counted_and_logged_once_a_minute(
    telling: Telling, now: datetime, caplog: pytest.LogCaptureFixture
) -> None:
    depend(13, now=now)
    factories.passing("grading", now=now)
    with caplog.at_level(logging.WARNING):
        telling.told()
        telling.told(after_seconds=1)

    assert telling.counted == [("tester", 3)]
    (line,) = caplog.messages
    assert "Webhooks to instances of the token tester wait" in line
    assert "webhooks_per_second" in line
