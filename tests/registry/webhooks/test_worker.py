"""One worker's half of telling: what it has claimed stays claimed while it is under way, and not for longer."""

from datetime import datetime, timedelta

import pytest

from registry.models import Cursor
from registry.webhooks import cursors
from registry.webhooks.compose import Message
from registry.webhooks.cursors import LEASE_SECONDS, Attempt
from registry.webhooks.worker import LONGEST_SECONDS, WebhookWorker
from tests import factories
from tests.registry.taken import Taken

SIGNED = {"notify_secret": factories.SECRET}
pytestmark = pytest.mark.django_db


@pytest.fixture
def taken() -> Taken[Message]:
    return Taken[Message]()


@pytest.fixture
def worker(taken: Taken[Message], now: datetime) -> WebhookWorker:
    """A worker with a message under way."""
    factories.register("webui", now=now, requires=["grading"], notify_url="http://127.0.0.2:1/", **SIGNED)
    factories.passing("grading", now=now)
    worker = WebhookWorker(pipeline=taken, wake=lambda: None)
    worker.sweep(now=now)
    return worker


def sweep_each_second(worker: WebhookWorker, *, now: datetime, seconds: float) -> datetime:
    for _ in range(int(seconds)):
        now += timedelta(seconds=1)
        worker.sweep(now=now)
    return now


def test_a_message_under_way_is_sent_by_nobody_else_however_long_it_takes(
    worker: WebhookWorker, taken: Taken[Message], now: datetime
) -> None:
    later = sweep_each_second(worker, now=now, seconds=3 * LEASE_SECONDS)
    assert cursors.claim(now=later, limit=10) == []

    (message,) = taken.taken
    worker.write([Attempt(message=message, status_code=204, duration_ms=1.0, error="")])
    assert Cursor.objects.get().notified_revision == message.to_revision


def test_a_message_whose_worker_died_is_sent_by_another_within_a_lease(
    worker: WebhookWorker, taken: Taken[Message], now: datetime
) -> None:
    died = sweep_each_second(worker, now=now, seconds=2 * LEASE_SECONDS)
    (again,) = cursors.claim(now=died + timedelta(seconds=LEASE_SECONDS), limit=10)
    assert again.id == taken.taken[0].id


def test_a_message_that_was_lost_in_the_worker_is_sent_once_more(
    worker: WebhookWorker, taken: Taken[Message], now: datetime
) -> None:
    sweep_each_second(worker, now=now, seconds=LONGEST_SECONDS + 2 * LEASE_SECONDS)
    first, again = taken.taken
    assert again.id == first.id


def test_what_another_has_taken_over_is_theirs(worker: WebhookWorker, taken: Taken[Message], now: datetime) -> None:
    frozen = now + timedelta(seconds=LEASE_SECONDS)
    (theirs,) = cursors.claim(now=frozen, limit=10)
    worker.sweep(now=frozen)
    (ours,) = taken.taken
    worker.write([Attempt(message=ours, status_code=204, duration_ms=1.0, error="")])

    assert Cursor.objects.get().notified_revision == ours.from_revision
    cursors.record([Attempt(message=theirs, status_code=204, duration_ms=1.0, error="")], now=frozen)
    assert Cursor.objects.get().notified_revision == theirs.to_revision
