from datetime import datetime, timedelta

import pytest
from pytest_django import Settings

from config.tokens import issuing
from config.tokens.models import Token
from registry.health import leases, results
from registry.health.probe import Finding, Result
from registry.health.rises import Rises
from registry.models import Heartbeat, Instance, JournalEntry, Status
from tests import factories
from tests.clock import Clock

pytestmark = pytest.mark.django_db


def find(finding: Finding, *, rises: Rises, now: datetime) -> list[str]:
    """Have every instance's next probe find this; returns the published statuses."""
    Heartbeat.objects.update(due_at=now.timestamp(), lease_until=0)
    due = leases.claim(now=now.timestamp(), limit=1000)
    found = [Result(due=each, finding=finding, detail="found", latency_ms=1.0) for each in due]
    results.record(found, rises=rises, now=now)
    return list(Instance.objects.order_by("service").values_list("status", flat=True))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def rises(settings: Settings, clock: Clock, db: None) -> Rises:
    settings.TOKEN_LIMITS = {"changes_per_minute": 1}
    issuing.create(name="tester", scopes=["register:*"])
    return Rises(clock)


def test_answers_that_are_quick_and_slow_in_turns_fill_the_journal_no_faster_than_the_limit(
    rises: Rises, now: datetime
) -> None:
    factories.passing("billing", now=now)
    before = JournalEntry.objects.count()
    for turn in range(100):
        find(Finding.SUCCESS if turn % 2 else Finding.WARNING, rises=rises, now=now + timedelta(seconds=turn))

    assert JournalEntry.objects.count() - before == 10


def test_a_fall_is_never_put_off_and_a_rise_comes_once_there_is_room(
    rises: Rises, clock: Clock, now: datetime, caplog: pytest.LogCaptureFixture
) -> None:
    for number in range(12):
        factories.register(f"s{number:02}", now=now)

    first = find(Finding.SUCCESS, rises=rises, now=now)
    fallen = find(Finding.DEAD, rises=rises, now=now + timedelta(seconds=1))
    still = find(Finding.SUCCESS, rises=rises, now=now + timedelta(seconds=2))
    clock.now += 120
    later = find(Finding.SUCCESS, rises=rises, now=now + timedelta(seconds=3))

    assert first.count(Status.PASSING) == 10
    assert first.count(Status.STARTING) == 2
    assert set(fallen) == {Status.CRITICAL}
    assert set(still) == {Status.CRITICAL}
    assert later.count(Status.PASSING) == 2
    assert (
        caplog.messages.count(
            "Instances of the token tester change too often: some stay as they are (its limit changes_per_minute)"
        )
        == 2
    )


def test_one_that_is_slow_now_and_then_keeps_none_from_coming_back(rises: Rises, now: datetime) -> None:
    factories.passing("billing", now=now)
    for turn in range(30):
        find(Finding.SUCCESS if turn % 2 else Finding.WARNING, rises=rises, now=now + timedelta(seconds=turn))
    factories.register("shop", now=now)

    assert find(Finding.SUCCESS, rises=rises, now=now + timedelta(seconds=40))[1] == Status.PASSING


def test_a_token_has_the_limit_that_it_was_given(rises: Rises, now: datetime) -> None:
    Token.objects.filter(name="tester").update(limits={"changes_per_minute": 0})
    for number in range(12):
        factories.register(f"s{number:02}", now=now)

    assert set(find(Finding.SUCCESS, rises=rises, now=now)) == {Status.PASSING}


def test_what_a_command_has_registered_has_no_limit(rises: Rises, now: datetime) -> None:
    for number in range(12):
        factories.register(f"s{number:02}", now=now)
    Instance.objects.update(registered_by="import_registry")

    assert set(find(Finding.SUCCESS, rises=rises, now=now)) == {Status.PASSING}
