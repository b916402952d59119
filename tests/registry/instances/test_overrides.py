from datetime import UTC, datetime, timedelta
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps

from config.problems import Invalid
from registry.errors import UnknownInstance
from registry.instances import catalogue, overrides, registration
from registry.journal import log
from registry.models import Change, Instance, InstanceKey, JournalEntry, Maintenance
from registry.wire.bodies import instance_body, timestamp
from tests import factories

pytestmark = pytest.mark.django_db

BILLING = InstanceKey(service="billing", instance="billing-1")


def offered() -> list[str]:
    return [each.name for each in catalogue.offered(["billing"])["billing"]]


def test_an_instance_in_maintenance_is_not_offered_until_it_is_lifted(now: datetime) -> None:
    factories.passing("billing", now=now)
    factories.passing("billing", "billing-2", now=now)

    overrides.begin_maintenance("billing", "billing-1", until=None, reason="disk", author="ann", now=now)
    assert offered() == ["billing-2"]
    assert overrides.end_maintenance("billing", "billing-1", author="ann", now=now)
    assert offered() == ["billing-1", "billing-2"]
    assert not overrides.end_maintenance("billing", "billing-1", author="ann", now=now)


def test_maintenance_of_a_service_holds_for_what_registers_later(now: datetime) -> None:
    overrides.begin_maintenance("billing", until=None, reason="move", author="ann", now=now)

    factories.passing("billing", now=now)

    assert offered() == []
    assert catalogue.instance("billing", "billing-1").shown_status == "maintenance"


def shown(*, since: datetime) -> tuple[str, bool, str]:
    body = instance_body(catalogue.instance("billing", "billing-1"))
    return body["status"], body["status_since"] == timestamp(since), body["status_reason"]


def test_an_override_is_shown_with_its_own_time_and_reason(now: datetime) -> None:
    factories.passing("billing", now=now)
    began, ended = now + timedelta(minutes=5), now + timedelta(minutes=9)

    overrides.begin_maintenance("billing", until=None, reason="new disk", author="ann", now=began)
    assert shown(since=began) == ("maintenance", True, "new disk")
    overrides.end_maintenance("billing", author="ann", now=ended)
    assert shown(since=now) == ("passing", True, "probed")
    overrides.drain(BILLING, seconds=60, reason="moves", author="ann", now=ended)
    assert shown(since=ended) == ("draining", True, "moves")


def test_who_drains_in_maintenance_is_shown_as_draining_since_that_has_ended(now: datetime) -> None:
    factories.passing("billing", now=now)
    overrides.begin_maintenance("billing", until=None, reason="new disk", author="ann", now=now)
    ended = now + timedelta(minutes=9)

    overrides.drain(BILLING, seconds=60, reason="moves", author="ann", now=now + timedelta(minutes=5))
    assert shown(since=now) == ("maintenance", True, "new disk")
    overrides.end_maintenance("billing", author="ann", now=ended)
    assert shown(since=ended) == ("draining", True, "")


def test_who_registers_in_maintenance_is_shown_with_the_nearer_reason(now: datetime) -> None:
    overrides.begin_maintenance("billing", until=None, reason="move", author="ann", now=now)
    overrides.begin_maintenance("billing", "billing-1", until=None, reason="new disk", author="ann", now=now)
    later = now + timedelta(minutes=5)

    factories.register("billing", now=later)

    assert shown(since=later) == ("maintenance", True, "new disk")


def test_maintenance_from_before_it_was_shown_is_shown_with_its_own_time_and_reason_too(now: datetime) -> None:
    factories.passing("billing", now=now)
    factories.passing("billing", "billing-2", now=now)
    began = now + timedelta(minutes=5)
    overrides.begin_maintenance("billing", "billing-1", until=None, reason="new disk", author="ann", now=began)
    overrides.begin_maintenance("billing", until=None, reason="move", author="ann", now=began)
    Instance.objects.update(overridden_since=None, override_reason="")

    import_module("registry.migrations.0006_override_shown").fill(apps, None)

    assert shown(since=began) == ("maintenance", True, "new disk")
    assert catalogue.instance("billing", "billing-2").shown_reason == "move"


def test_maintenance_survives_heartbeats_updates_and_deregistration(now: datetime) -> None:
    instance = factories.passing("billing", now=now)
    overrides.begin_maintenance("billing", "billing-1", until=None, reason="disk", author="ann", now=now)

    factories.judge(instance, succeeded=False, now=now, times=3)
    factories.judge(instance, succeeded=True, now=now)
    factories.register("billing", now=now, weight=7)
    assert offered() == []
    registration.deregister(BILLING, author="tester", now=now)
    factories.passing("billing", now=now)

    assert offered() == []


def test_lifting_one_of_two_maintenances_leaves_the_other(now: datetime) -> None:
    factories.passing("billing", now=now)
    overrides.begin_maintenance("billing", until=None, reason="", author="ann", now=now)
    overrides.begin_maintenance("billing", "billing-1", until=None, reason="", author="ann", now=now)

    overrides.end_maintenance("billing", author="ann", now=now)

    assert offered() == []


def test_where_the_maintenance_of_the_whole_service_goes_on_its_reason_is_journalled(now: datetime) -> None:
    factories.passing("billing", now=now)
    ends = now + timedelta(minutes=5)
    overrides.begin_maintenance("billing", until=None, reason="move", author="ann", now=now)
    overrides.begin_maintenance("billing", "billing-1", until=ends, reason="new disk", author="ann", now=now)

    overrides.expire(now=ends)

    assert shown(since=now) == ("maintenance", True, "move")
    last = JournalEntry.objects.order_by("revision").last()
    assert last is not None
    assert (last.change, last.reason) == (Change.MAINTENANCE, "move")


@pytest.mark.parametrize("offset", ["+16:41", "-23:59"])
def test_maintenance_ends_at_its_moment_in_whatever_zone_it_was_said(now: datetime, offset: str) -> None:
    until = datetime.fromisoformat(f"2026-12-01T04:02:15{offset}")

    overrides.begin_maintenance("billing", until=until, reason="", author="ann", now=now)

    assert Maintenance.objects.get().until == until
    assert overrides.expire(now=until.astimezone(UTC)) == 1


def test_maintenance_that_is_prolonged_when_it_was_about_to_end_goes_on(
    now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    ends, later = now + timedelta(minutes=5), now + timedelta(minutes=9)
    for service in ("billing", "webui"):
        factories.passing(service, now=now)
        overrides.begin_maintenance(service, until=ends, reason="", author="ann", now=now)
    end = overrides.end_maintenance

    def prolonging(service: str, *arguments: Any, **members: Any) -> bool:
        # Another was seen to be over before this one is ended.
        if service == "billing":
            overrides.begin_maintenance("webui", until=later, reason="", author="ann", now=now)
        return end(service, *arguments, **members)

    monkeypatch.setattr(overrides, "end_maintenance", prolonging)

    assert overrides.expire(now=ends) == 1
    assert Maintenance.objects.get().until == later
    assert catalogue.instance("webui", "webui-1").is_in_maintenance


def test_maintenance_that_is_over_already_is_refused(now: datetime) -> None:
    with pytest.raises(Invalid, match="is over already, for it is 2026-11-23T12:00:00Z"):
        overrides.begin_maintenance("billing", until=now, reason="", author="ann", now=now)

    assert not Maintenance.objects.exists()


def test_maintenance_again_is_journalled_where_its_reason_is_another(now: datetime) -> None:
    factories.passing("billing", now=now)
    for reason in ("a", "a", "b"):
        overrides.begin_maintenance("billing", until=None, reason=reason, author="ann", now=now)
        assert shown(since=now) == ("maintenance", True, reason)

    entries = JournalEntry.objects.filter(change=Change.MAINTENANCE).order_by("revision")
    assert [entry.reason for entry in entries] == ["a", "b"]
    first, second = entries
    assert second.before == second.after == first.after


def test_what_drains_still_serves_and_is_offered_no_longer(now: datetime) -> None:
    factories.passing("billing", now=now)

    instance = overrides.drain(BILLING, seconds=30, reason="", author="ann", now=now)

    assert offered() == []
    assert (instance.shown_status, instance.status) == ("draining", "passing")


def test_draining_what_is_not_there_says_so(now: datetime) -> None:
    with pytest.raises(UnknownInstance):
        overrides.drain(BILLING, seconds=30, reason="", author="ann", now=now)


def test_a_new_end_of_draining_is_a_change_like_any_other(now: datetime) -> None:
    factories.passing("billing", now=now)
    overrides.drain(BILLING, seconds=30, reason="", author="ann", now=now)

    instance = overrides.drain(BILLING, seconds=60, reason="", author="ann", now=now)

    assert instance.revision == log.head() == 4
