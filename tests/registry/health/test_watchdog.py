import math
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from registry.health import leases, watchdog
from registry.health.watchdog import STALE_SECONDS, Part, Signer, Signs
from registry.models import Cursor
from tests import factories

AT = 1_764_406_800.0  # 09:00:00 UTC
WELL = Signs(
    beat_at=AT,
    heartbeats_at=AT,
    probes_at=AT,
    webhooks_at=AT,
    overdue_since=None,
    overdue_instance="",
    oldest_due_at=AT + 1,
    oldest_undelivered_revision=None,
    untold_since=None,
    has_instances=True,
)
LATER = AT + STALE_SECONDS + 1


def test_while_all_work_nothing_is_found() -> None:
    assert watchdog.judge(WELL, now=AT + 1) == []


def test_a_heartbeats_worker_that_does_nothing_is_named_with_its_time() -> None:
    found = replace(WELL, beat_at=LATER, webhooks_at=LATER)

    assert watchdog.judge(found, now=LATER) == [
        "No instance has been probed since 09:00:00 UTC: the heartbeats worker does nothing."
    ]


def test_an_instance_that_waits_though_sweeps_are_made_is_named() -> None:
    found = replace(WELL, overdue_since=AT - 60, overdue_instance="billing/billing-1")

    assert watchdog.judge(found, now=AT) == [
        "billing/billing-1 was to be probed at 08:59:00 UTC and has not been: the heartbeats workers do not keep up."
    ]


def test_a_webhook_worker_that_does_nothing_is_found_by_who_waits_for_it() -> None:
    found = replace(WELL, heartbeats_at=LATER, beat_at=LATER)
    assert watchdog.judge(found, now=LATER) == []

    waited_for = replace(found, untold_since=AT, oldest_undelivered_revision=7)
    assert watchdog.judge(waited_for, now=LATER) == [
        "No dependent has been told of a change since 09:00:00 UTC: the webhook worker does nothing."
    ]


def test_a_beat_that_stands_still_is_named() -> None:
    found = replace(WELL, heartbeats_at=LATER, webhooks_at=LATER)

    assert watchdog.judge(found, now=LATER) == [
        "Beat has not ticked since 09:00:00 UTC: workers go by themselves, which is slower."
    ]


def test_an_empty_registry_that_nobody_works_for_is_not_ill() -> None:
    found = replace(WELL, beat_at=None, heartbeats_at=None, probes_at=None, webhooks_at=None, has_instances=False)

    assert watchdog.judge(found, now=LATER) == []


@pytest.mark.django_db
def test_the_database_says_what_is_overdue_and_who_is_untold(now: datetime) -> None:
    factories.register("webui", now=now, requires=["billing"])
    factories.passing("billing", now=now)
    at = now.timestamp()
    signer = Signer()
    for part in Part:
        signer.leave(part, now=at)
    assert watchdog.findings(now=now) == []

    hour = now + timedelta(hours=1)
    found = watchdog.signs(now=hour.timestamp())

    assert found.overdue_instance in ("webui/webui-1", "billing/billing-1")
    assert found.untold_since == at
    assert found.heartbeats_at == at
    assert watchdog.findings(now=hour)[0].startswith("No instance has been probed since")


@pytest.mark.django_db
def test_a_sign_is_left_no_more_often_than_every_few_seconds() -> None:
    clock = [100.0]
    signer = Signer(every_seconds=3.0, clock=lambda: clock[0])
    signer.leave(Part.BEAT, now=1000.0)
    signer.leave(Part.BEAT, now=1001.0)
    assert watchdog.age_seconds(Part.BEAT, now=1001.0) == 1.0

    clock[0] += 3
    signer.leave(Part.BEAT, now=1003.0)
    assert watchdog.age_seconds(Part.BEAT, now=1003.0) == 0.0


@pytest.mark.django_db
def test_what_a_clock_ahead_has_left_is_no_sign_of_life(now: datetime) -> None:
    factories.passing("billing", now=now)
    ahead = now.timestamp() + 3600
    for part in Part:
        Signer().leave(part, now=ahead)

    assert watchdog.findings(now=now)[0].startswith("No instance has been probed since")
    assert watchdog.age_seconds(Part.HEARTBEATS, now=now.timestamp()) == math.inf


@pytest.mark.django_db
@pytest.mark.parametrize(("due_seconds", "waits"), [(0.5, False), (60, True)])
def test_who_was_put_off_waits_only_from_when_its_turn_has_come(due_seconds: float, waits: bool, now: datetime) -> None:
    factories.register("webui", now=now, requires=["billing"])
    factories.passing("billing", now=now)
    hour = now.timestamp() + 3600
    Cursor.objects.update(next_attempt_at=hour - due_seconds, put_off_at=hour - 120)

    assert (watchdog.signs(now=hour).untold_since is not None) == waits


@pytest.mark.django_db
def test_a_probe_that_a_clock_ahead_has_claimed_is_overdue_as_any_other(now: datetime) -> None:
    factories.passing("billing", now=now)
    leases.claim(now=now.timestamp() + 3600, limit=10)

    assert watchdog.signs(now=now.timestamp() + 60).overdue_instance == "billing/billing-1"


def test_a_webhook_worker_that_died_while_the_clock_was_ahead_is_found() -> None:
    found = replace(WELL, untold_since=AT + 3600, oldest_undelivered_revision=7, webhooks_at=AT + 3600)

    assert watchdog.judge(found, now=AT) == [
        "No dependent has been told of a change since the clock was set back: the webhook worker does nothing."
    ]
