from datetime import datetime, timedelta

import pytest

from config.clocks import SKEW_SECONDS
from registry.errors import BeatsByItself
from registry.health import leases, results
from registry.models import Heartbeat
from tests import factories

pytestmark = pytest.mark.django_db

HOUR = 3600.0
HASTE = {"interval_seconds": 10, "timeout_seconds": 5}


def test_a_probe_that_was_claimed_by_a_clock_ahead_is_claimed_again(now: datetime) -> None:
    factories.passing("billing", now=now, heartbeat=HASTE)
    at = now.timestamp() + 10
    assert len(leases.claim(now=at + HOUR, limit=10)) == 1

    assert len(leases.claim(now=at, limit=10)) == 1


def test_a_claim_holds_though_the_clock_of_another_host_is_behind(now: datetime) -> None:
    factories.passing("billing", now=now, heartbeat=HASTE)
    at = now.timestamp() + 10
    assert len(leases.claim(now=at, limit=10, ahead=leases.MOST_AHEAD_SECONDS)) == 1

    behind = at - SKEW_SECONDS
    assert leases.claim(now=behind, limit=10, ahead=SKEW_SECONDS) == []
    assert leases.claim_now([Heartbeat.objects.get().pk], now=behind) == []


@pytest.mark.parametrize("kind", ["http", "ttl"])
def test_a_probe_that_a_clock_ahead_has_put_off_is_due_within_its_interval(kind: str, now: datetime) -> None:
    ahead, at = now + timedelta(seconds=HOUR), now.timestamp()
    factories.passing("billing", now=ahead, heartbeat={**HASTE, "kind": kind})
    assert Heartbeat.objects.get().due_at > at + HOUR / 2

    assert leases.release_far(now=at) == 1

    assert at < Heartbeat.objects.get().due_at <= at + 10
    assert leases.release_far(now=at) == 0


def test_whatever_is_due_when_it_should_be_is_left_as_it_is(now: datetime) -> None:
    for number, interval in enumerate((1, 10, 60, 3600)):
        factories.passing("billing", f"billing-{number}", now=now, heartbeat={**HASTE, "interval_seconds": interval})
    before = list(Heartbeat.objects.order_by("pk").values_list("due_at", flat=True))

    assert leases.release_far(now=now.timestamp() - SKEW_SECONDS) == 0
    assert list(Heartbeat.objects.order_by("pk").values_list("due_at", flat=True)) == before


def test_a_probe_asked_for_by_hand_is_due_though_a_clock_ahead_has_claimed_it(now: datetime) -> None:
    instance = factories.passing("billing", now=now, heartbeat=HASTE)
    leases.claim(now=now.timestamp() + HOUR, limit=10)

    assert results.hurry([instance], now=now) == 1
    assert len(leases.claim(now=now.timestamp(), limit=10)) == 1


def test_an_instance_that_beats_by_itself_is_not_probed_and_no_beat_of_it_is_missed(now: datetime) -> None:
    beating = factories.passing("nightly", now=now, heartbeat={"kind": "ttl", "interval_seconds": 3600})
    probed = factories.passing("billing", now=now, heartbeat=HASTE)
    Heartbeat.objects.update(lease_until=0)

    assert results.hurry([beating, probed], now=now) == 1
    with pytest.raises(BeatsByItself):
        results.hurry([beating], now=now)

    assert [due.service for due in leases.claim(now=now.timestamp(), limit=10)] == ["billing"]
