from datetime import datetime, timedelta

import pytest
from pytest_django import Settings

from logsvc import retention, tasks
from logsvc.models import Record
from tests.logsvc import factories

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _keep_for_two_weeks(settings: Settings) -> None:
    settings.RETENTION_DAYS = 14


def test_what_was_received_before_the_retention_is_forgotten(now: datetime) -> None:
    factories.keep_for_days(20, "old")
    factories.keep_for_days(14, "just within")
    factories.keep_for_days(0, "new")

    assert retention.prune(now=now) == 1
    assert factories.messages() == ["just within", "new"]


def test_what_a_sender_calls_old_but_came_today_is_kept(now: datetime) -> None:
    factories.keep(factories.entry("late", time=now - timedelta(days=100)))

    assert retention.prune(now=now) == 0


def test_much_is_forgotten_in_small_batches(
    now: datetime, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: "pytest.FixtureRequest"
) -> None:
    monkeypatch.setattr(retention, "BATCH_SIZE", 2)
    factories.keep_for_days(20, *"abcde")
    factories.keep_for_days(1, "new")

    assert retention.prune(now=now) == 5
    assert factories.messages() == ["new"]


def test_the_task_prunes() -> None:
    factories.keep_for_days(4000, "old")

    tasks.prune()

    assert not Record.objects.exists()
