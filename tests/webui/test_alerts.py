from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webui import alerts, board, incidents
from webui.board import State
from webui.incidents import CONFIRMED_AFTER, Trouble
from webui.models import Channel, Incident, Message, Severity
from webui.upstream.registry import Graph, GraphService, Service

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
DOWN = Trouble(state=State.CRITICAL, severity=Severity.CRITICAL, reason="refused", affected=("grading", "webui"))
SLOW = Trouble(state=State.WARNING, severity=Severity.WARNING)


def at(**after: float) -> datetime:
    return NOW + timedelta(**after)


def last(trouble: Trouble = DOWN, *, service: str = "logsvc", seconds: float = 30) -> Incident:
    """An incident that has been going on for long enough to be told of."""
    incidents.record({service: trouble}, now=NOW)
    incidents.record({service: trouble}, now=at(seconds=seconds))
    return Incident.objects.get(ended_at=None)


def channel(**members: object) -> Channel:
    return Channel.objects.create(**{"name": "on call", "url": "json://127.0.0.1:1", **members})


def write(now: datetime) -> list[tuple[str, str]]:
    alerts.write(now=now)
    return [(message.channel.name, message.kind) for message in Message.objects.order_by("pk")]


def test_one_cause_is_one_incident_with_those_that_it_affects() -> None:
    graph = Graph(
        services=(
            GraphService(service="webui", state="degraded", causes=("logsvc",)),
            GraphService(service="logsvc", state="critical"),
        ),
        roots=(("logsvc",),),
        affected={"logsvc": ("webui",)},
    )
    judged = board.judge(
        [Service(service="webui", status="degraded"), Service(service="logsvc", status="critical")], graph
    )
    assert incidents.troubles(judged) == {
        "logsvc": Trouble(state=State.CRITICAL, severity=Severity.CRITICAL, affected=("webui",), together=("logsvc",))
    }


def test_a_hundred_services_that_one_requires_and_nobody_registered_are_one_incident_and_one_short_message(
    db: None,
) -> None:
    ghosts = tuple(f"ghost-{number:03}" for number in range(100))
    graph = Graph(
        services=(GraphService(service="shop", state="degraded", causes=ghosts),),
        down=ghosts,
        roots=(ghosts,),
        affected=dict.fromkeys(ghosts, ("shop",)),
    )
    judged = board.judge([Service(service="shop", status="degraded")], graph)
    channel()
    for seconds in (0, 30):
        incidents.record(incidents.troubles(judged), now=at(seconds=seconds))

    assert write(at(seconds=30)) == [("on call", "began")]
    told = Message.objects.get()
    assert told.title == "ghost-000, ghost-001, ghost-002 and 97 more are missing"
    assert told.body.splitlines()[-1] == "Affected: shop"
    assert len(told.body) < 1000
    assert Incident.objects.get().services == list(ghosts)


@pytest.mark.django_db
def test_an_incident_goes_on_while_any_of_its_services_is_missing_and_takes_in_what_the_same_one_misses() -> None:
    channel()
    for seconds, names in ((0, "ab"), (30, "abc"), (40, "bc"), (50, "c")):
        lost = Trouble(state=State.MISSING, severity=Severity.CRITICAL, together=tuple(names), affected=("shop",))
        incidents.record(dict.fromkeys(names, lost), now=at(seconds=seconds))
        write(at(seconds=seconds))
    assert Incident.objects.get().services == ["c"]

    incidents.record({}, now=at(seconds=60))

    assert write(at(seconds=60)) == [("on call", "began"), ("on call", "ended")]


@pytest.mark.django_db
def test_what_begins_at_one_time_is_told_in_one_message_where_it_is_too_much_to_read() -> None:
    channel()
    names = [f"shop-{number:03}" for number in range(300)]
    found = {
        name: Trouble(state=State.CRITICAL, severity=Severity.CRITICAL, affected=(f"{name}-ui",)) for name in names
    }
    incidents.record(found, now=NOW)
    incidents.record(found, now=at(seconds=30))

    assert write(at(seconds=31)) == [("on call", "began")]
    told = Message.objects.get()
    assert told.title == "shop-000, shop-001, shop-002 and 297 more are critical"
    assert "Affected: shop-000-ui, " in told.body
    assert "and 288 more" in told.body
    assert len(told.body) < 1000


@pytest.mark.django_db
def test_a_reason_that_a_service_gave_calls_nobody() -> None:
    channel()
    last(Trouble(state=State.CRITICAL, severity=Severity.CRITICAL, reason="<!channel> <@U1> @everyone ada@example.com"))
    write(at(minutes=1))

    assert (
        "Reason: \u2039!channel\u203a \u2039\uff20U1\u203a \uff20everyone ada\uff20example.com"
        in Message.objects.get().body
    )


@pytest.mark.django_db
def test_a_flood_of_failures_that_goes_on_is_told_a_few_times_a_minute_and_hides_no_other() -> None:
    channel()
    found: dict[str, Trouble] = {}
    dead = Trouble(state=State.CRITICAL, severity=Severity.CRITICAL)
    for look in range(120):
        found |= {f"shop-{look:03}a": dead, f"shop-{look:03}b": dead}
        if look == 60:
            found["zoo"] = DOWN
        incidents.record(found, now=at(seconds=5 * look))
        write(at(seconds=5 * look))
        if look == 66:
            assert Message.objects.filter(body__contains="zoo").exists()

    assert Message.objects.count() <= 30


def test_maintenance_is_no_trouble() -> None:
    graph = Graph(services=(GraphService(service="a", state="maintenance"),), roots=(("a",),))
    assert incidents.troubles(board.judge([Service(service="a", status="maintenance")], graph)) == {}


@pytest.mark.django_db
def test_what_is_soon_over_bothers_nobody() -> None:
    channel()
    incidents.record({"logsvc": DOWN}, now=NOW)
    assert write(at(seconds=5)) == []
    incidents.record({}, now=at(seconds=10))
    assert not Incident.objects.exists()


@pytest.mark.django_db
def test_a_cause_is_told_once_and_its_end_once() -> None:
    channel()
    last()
    assert write(at(seconds=31)) == [("on call", "began")]
    assert write(at(minutes=50)) == [("on call", "began")]
    incidents.record({}, now=at(hours=1))
    assert write(at(hours=1)) == [("on call", "began"), ("on call", "ended")]
    assert write(at(hours=2)) == [("on call", "began"), ("on call", "ended")]
    began, ended = Message.objects.order_by("pk")
    assert began.title == "logsvc is critical"
    assert began.body == "Since 2026-11-23 12:00:00 UTC.\nReason: refused\nAffected: grading, webui"
    assert ended.title == "Resolved: logsvc is well again after 1 h"
    assert ended.body == "From 2026-11-23 12:00:00 to 2026-11-23 13:00:00 UTC.\nAffected: grading, webui"


@pytest.mark.django_db
def test_what_lasts_is_told_again_when_a_reminder_is_wanted() -> None:
    channel(remind_minutes=30)
    last()
    for minutes in (1, 20, 32, 40, 63):
        write(at(minutes=minutes))
    assert [message.kind for message in Message.objects.order_by("pk")] == ["began", "reminder", "reminder"]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("members", "is_told"),
    [
        ({}, True),
        ({"services": ["logsvc"]}, True),
        ({"services": ["web*"]}, True),
        ({"services": ["billing", "team-*"]}, False),
        ({"is_enabled": False}, False),
        ({"severity": Severity.WARNING}, True),
    ],
)
def test_a_channel_hears_of_what_concerns_its_services(members: dict[str, object], is_told: bool) -> None:
    channel(**members)
    last()
    assert bool(write(at(minutes=1))) is is_told


@pytest.mark.django_db
def test_a_warning_goes_only_to_those_who_want_warnings() -> None:
    channel(name="all", severity=Severity.WARNING)
    channel(name="critical")
    last(SLOW)
    assert write(at(minutes=1)) == [("all", "began")]


@pytest.mark.django_db
def test_what_gets_worse_is_told_anew() -> None:
    channel()
    last(SLOW)
    assert write(at(minutes=1)) == []
    incidents.record({"logsvc": DOWN}, now=at(minutes=2))
    incidents.record({"logsvc": DOWN}, now=at(minutes=3))
    assert write(at(minutes=3)) == [("on call", "began")]


@pytest.mark.django_db
def test_in_quiet_hours_nothing_is_sent_and_afterwards_only_what_still_lasts() -> None:
    channel(quiet_from=time(13, 0), quiet_until=time(7, 0), zone="Europe/Berlin")
    last()
    assert write(at(minutes=1)) == []
    incidents.record({"billing": DOWN}, now=at(hours=1))
    incidents.record({"billing": DOWN}, now=at(hours=2))
    incidents.record({"billing": DOWN}, now=at(hours=19))
    assert write(at(hours=19)) == [("on call", "began")]
    assert Message.objects.get().incident.service == "billing"


@pytest.mark.django_db
def test_while_the_registry_is_away_nothing_is_said_to_be_over() -> None:
    channel()
    last()
    incidents.record(incidents.registry_is_away("refused"), now=at(minutes=1), is_whole=False)
    incidents.record(incidents.registry_is_away("refused"), now=at(minutes=2), is_whole=False)
    assert write(at(minutes=2)) == [("on call", "began"), ("on call", "began")]
    assert Incident.objects.filter(ended_at=None).count() == 2


@pytest.mark.django_db
def test_a_message_that_failed_before_keeps_no_new_one_waiting() -> None:
    channel()
    last(service="logsvc")
    [number] = alerts.write(now=at(seconds=31))
    message = alerts.claim(number, now=at(seconds=31))
    assert message is not None
    alerts.settle(message, error="no answer", now=at(seconds=31))
    troubles = {"logsvc": DOWN, "zoo": DOWN}
    for seconds in (32, 62):
        incidents.record(troubles, now=at(seconds=seconds))

    first, second = alerts.write(now=at(seconds=62))

    assert (Message.objects.get(pk=first).incident.service, second) == ("zoo", number)


@pytest.mark.django_db
def test_a_message_is_sent_by_one_and_tried_again_until_it_is_given_up() -> None:
    channel()
    last()
    [number] = alerts.write(now=at(minutes=1))
    message = alerts.claim(number, now=at(minutes=1))
    assert message
    assert alerts.claim(number, now=at(minutes=1)) is None
    now = at(minutes=1)
    for seconds in (30, 120, 600, 1800):
        alerts.settle(message, error="refused", now=now)
        assert alerts.write(now=now + timedelta(seconds=seconds - 1)) == []
        now += timedelta(seconds=seconds)
        assert alerts.write(now=now) == [number]
    alerts.settle(message, error="refused", now=now)
    assert alerts.write(now=now + timedelta(days=1)) == []


@pytest.mark.django_db
def test_a_clock_set_back_by_an_hour_puts_off_no_alert() -> None:
    channel()
    ahead = at(hours=1)
    incidents.record({"billing": DOWN}, now=ahead)
    incidents.record({"billing": DOWN}, now=ahead + timedelta(seconds=30))
    incidents.record({"billing": DOWN, "logsvc": DOWN}, now=ahead + timedelta(seconds=31))
    [number] = alerts.write(now=ahead + timedelta(seconds=31))
    message = alerts.claim(number, now=ahead + timedelta(seconds=31))
    assert message
    alerts.settle(message, error="refused", now=ahead + timedelta(seconds=31))

    # What was refused is tried again, what had ended ends, and what goes on is told of when it has gone on for long.
    incidents.record({"logsvc": DOWN}, now=at(seconds=32))
    assert number in alerts.write(now=at(seconds=32))
    assert alerts.claim(number, now=at(seconds=32))
    assert Incident.objects.get(service="billing").ended_at == at(seconds=32)
    incidents.record({"logsvc": DOWN}, now=at(seconds=60))
    alerts.write(now=at(seconds=60))
    assert Message.objects.filter(incident__service="logsvc").exists()


@pytest.mark.django_db
def test_a_reminder_is_not_put_off_by_a_clock_that_was_ahead() -> None:
    channel(remind_minutes=30)
    last()
    write(at(minutes=1))
    Message.objects.update(written_at=at(hours=1))

    assert ("on call", "reminder") in write(at(minutes=2))


@given(st.times(), st.times(), st.datetimes(timezones=st.just(UTC)))
def test_quiet_hours_and_the_others_make_a_day(begin: time, end: time, now: datetime) -> None:
    quiet = Channel(quiet_from=begin, quiet_until=end, zone="UTC")
    loud = Channel(quiet_from=end, quiet_until=begin, zone="UTC")
    assert begin == end or alerts.is_quiet(quiet, now=now) != alerts.is_quiet(loud, now=now)


def test_a_suspicion_is_confirmed_within_half_a_minute() -> None:
    assert timedelta(seconds=10) < CONFIRMED_AFTER < timedelta(seconds=30)
