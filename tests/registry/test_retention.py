"""The journal is pruned from its beginning and without a hole: its first revision says how far back it reaches."""

from datetime import UTC, datetime, timedelta

import pytest

from registry import retention
from registry.journal import log
from registry.models import JournalEntry
from tests import factories

pytestmark = pytest.mark.django_db

LONG_AGO = timedelta(days=31)


def write(*at: datetime) -> None:
    """Append an entry to the journal at each of these times, which a clock that was set may have made any."""
    for number, each in enumerate(at, start=1):
        factories.register("billing", f"billing-{number}", now=each)


def kept() -> list[int]:
    return list(JournalEntry.objects.order_by("revision").values_list("revision", flat=True))


def test_old_entries_go(now: datetime) -> None:
    write(now - LONG_AGO, now - LONG_AGO, now)
    assert retention.prune(now=now)["journal entries"] == 2
    assert kept() == [3]
    assert log.oldest() == 3


def test_an_entry_of_a_clock_that_was_behind_stays_while_one_before_it_does(now: datetime) -> None:
    write(now, datetime(1970, 1, 2, tzinfo=UTC), now)
    assert retention.prune(now=now)["journal entries"] == 0
    assert kept() == [1, 2, 3]


@pytest.mark.parametrize("ahead", [timedelta(days=1), timedelta(days=1000)])
def test_an_entry_of_a_clock_that_was_ahead_keeps_none_that_follow_it(now: datetime, ahead: timedelta) -> None:
    write(now - LONG_AGO, now + ahead, now - LONG_AGO, now)
    retention.prune(now=now)
    assert kept() == [4]


def test_an_entry_in_the_near_future_is_kept_like_any_new_one(now: datetime) -> None:
    write(now - LONG_AGO, now + timedelta(seconds=1), now)
    retention.prune(now=now)
    assert kept() == [2, 3]


def test_entries_of_a_clock_that_was_ahead_until_now_stay(now: datetime) -> None:
    write(now - LONG_AGO, now + timedelta(hours=1))
    retention.prune(now=now)
    assert kept() == [2]


def test_all_go_where_all_are_old(now: datetime) -> None:
    write(now - LONG_AGO, now - LONG_AGO)
    retention.prune(now=now)
    assert kept() == []
