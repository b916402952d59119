from datetime import datetime

import pytest
from pytest_django import DjangoCaptureOnCommitCallbacks

from registry.journal import log
from registry.models import Head, JournalEntry
from tests import factories


@pytest.mark.django_db
def test_revisions_have_no_gaps(now: datetime) -> None:
    instance = factories.passing("billing", now=now)
    factories.judge(instance, succeeded=False, now=now, times=3)
    factories.register("logsvc", now=now)

    assert [entry.revision for entry in log.page(after=0, limit=10)] == [1, 2, 3, 4]


@pytest.mark.django_db
def test_a_page_follows_a_revision_and_keeps_to_its_services(now: datetime) -> None:
    factories.passing("billing", now=now)
    factories.passing("logsvc", now=now)

    assert [entry.revision for entry in log.page(after=1, limit=10, services=["logsvc"])] == [3, 4]


@pytest.mark.django_db
def test_a_change_is_announced_after_its_commit(
    now: datetime, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    announced: list[int] = []
    monkeypatch.setattr("registry.wakeups.announce", lambda revision, growth: announced.append(revision))
    with django_capture_on_commit_callbacks(execute=True):
        factories.register("billing", now=now)
        assert announced == []

    assert announced == [1]


@pytest.mark.django_db
def test_what_was_touched_is_told_by_service_with_its_last_change(now: datetime) -> None:
    for service in ("a", "b", "a"):
        factories.register(service, f"i-{log.head()}", now=now)

    assert log.touched(after=0, up_to=3) == {"a": 3, "b": 2}
    assert log.touched(after=1, up_to=2) == {"b": 2}


@pytest.mark.django_db
def test_of_an_empty_journal_the_oldest_is_the_next(now: datetime) -> None:
    factories.register("a", now=now)
    assert log.oldest() == 1
    JournalEntry.objects.all().delete()
    assert log.oldest() == 2


@pytest.mark.django_db
def test_a_journal_keeps_its_history_until_another_is_begun(now: datetime) -> None:
    begun = log.position()
    factories.register("billing", now=now)
    assert log.position() == (begun.history, 1)
    assert len(begun.history) == 8

    log.begin_history()

    assert log.position().revision == 1
    assert log.position().history != begun.history


@pytest.mark.django_db
def test_a_journal_begun_anew_has_another_history(now: datetime) -> None:
    begun = log.position()
    Head.objects.all().delete()
    assert log.position() == ("", 0)
    factories.register("billing", now=now)

    assert log.position().history not in ("", begun.history)
