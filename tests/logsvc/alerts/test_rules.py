"""Alert rules: when one fires, when it is notified, and that each is notified once."""

import json
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.tokens import issuing
from logsvc.alerts import rules
from logsvc.alerts.rules import Standing, Told, decide
from logsvc.models import AlertMessage, AlertRule, AlertState, Condition
from logsvc.timestamps import from_datetime
from registry.client import webhook
from tests.clock import Clock
from tests.logsvc.factories import keep, record

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
QUIET = timedelta(minutes=10)
UNTOLD = Standing(state=AlertState.OK, since=None, told_at=None, is_told=False)


def make_rule(**members: object) -> AlertRule:
    given = {"name": "errors of grading", "query": "level>=error service:grading", "threshold": 5, "quiet_seconds": 600}
    target = {"url": "http://127.0.0.1:9/alerts", "secret": webhook.new_secret()}
    return AlertRule.objects.create(**(given | target | members))


def errors(count: int, at: datetime = NOW, **members: object) -> None:
    time_ns = from_datetime(at - timedelta(seconds=1))
    keep(
        *(record(f"error {n}", time_ns=time_ns - n, severity=17, **members) for n in range(count)), received_ns=time_ns
    )


def told() -> list[str]:
    return list(AlertMessage.objects.order_by("id").values_list("kind", flat=True))


@pytest.mark.django_db
def test_more_than_five_errors_of_a_service_in_five_minutes_are_told_once() -> None:
    rule = make_rule()
    errors(5)
    errors(9, service="shop")
    rules.evaluate_due(now=NOW)
    assert told() == []

    errors(1)
    for seconds in (15, 30, 45):
        rules.evaluate_due(now=NOW + timedelta(seconds=seconds))

    assert told() == ["logs.alert.firing"]
    rule.refresh_from_db()
    assert (rule.state, rule.count, rule.since) == ("firing", 6, NOW + timedelta(seconds=15))


@pytest.mark.django_db
def test_that_it_is_over_is_told_once() -> None:
    make_rule()
    errors(6)
    for minutes in (0, 1, 6, 7):
        rules.evaluate_due(now=NOW + timedelta(minutes=minutes))

    assert told() == ["logs.alert.firing", "logs.alert.resolved"]


@pytest.mark.django_db
def test_too_few_can_be_told_too() -> None:
    make_rule(query="service:grading", condition=Condition.FEWER_THAN, threshold=1)
    errors(1)
    rules.evaluate_due(now=NOW)
    rules.evaluate_due(now=NOW + timedelta(minutes=6))

    assert told() == ["logs.alert.firing"]


@pytest.mark.django_db
def test_a_message_says_what_was_counted_and_shows_the_newest() -> None:
    make_rule(threshold=0)
    errors(7)

    rules.evaluate_due(now=NOW)

    body = json.loads(AlertMessage.objects.get().body)
    assert body["type"] == "logs.alert.firing"
    data = body["data"]
    assert (data["count"], data["threshold"], data["condition"]) == (7, 0, "more-than")
    assert (data["from"], data["to"]) == ("2026-11-23T11:55:00.000000Z", "2026-11-23T12:00:00.000000Z")
    assert [each["message"] for each in data["records"]] == [f"error {number}" for number in range(5)]


@pytest.mark.django_db
def test_two_workers_that_evaluate_at_once_tell_once() -> None:
    rule = make_rule()
    errors(6)
    same = AlertRule.objects.get(pk=rule.pk)

    assert rules.evaluate(rule, now=NOW)
    assert not rules.evaluate(same, now=NOW)
    assert told() == ["logs.alert.firing"]


@pytest.mark.django_db
def test_a_rule_counts_only_what_its_owner_may_read_and_ends_with_its_token() -> None:
    issuing.create(name="shop", scopes=["read:shop", "log:rules"])
    rule = make_rule(owner="shop", query="level>=error")
    errors(9)
    rules.evaluate_due(now=NOW)
    assert told() == []
    errors(9, service="shop")
    rules.evaluate_due(now=NOW + timedelta(seconds=15))
    assert told() == ["logs.alert.firing"]

    issuing.revoke(name="shop", now=NOW)
    rules.evaluate_due(now=NOW + timedelta(seconds=30))

    rule.refresh_from_db()
    assert not rule.is_enabled
    assert "no longer valid" in rule.trouble


@pytest.mark.django_db
def test_a_disabled_rule_is_not_evaluated_and_a_broken_one_hinders_no_other() -> None:
    make_rule(is_enabled=False)
    broken = make_rule(name="broken", query="level>=nonsense")
    make_rule(name="whole")
    errors(6)

    rules.evaluate_due(now=NOW)

    assert told() == ["logs.alert.firing"]
    broken.refresh_from_db()
    assert "not a level" in broken.trouble


@pytest.mark.django_db
def test_a_clock_set_back_by_an_hour_keeps_no_rule_quiet() -> None:
    make_rule()
    errors(6, NOW + timedelta(hours=1))
    rules.evaluate_due(now=NOW + timedelta(hours=1))
    assert told() == ["logs.alert.firing"]

    errors(6)
    rules.evaluate_due(now=NOW)

    assert told() == ["logs.alert.firing", "logs.alert.still-firing"]
    assert AlertRule.objects.get().since == NOW


@given(st.lists(st.tuples(st.integers(1, 900), st.booleans()), max_size=40))
def test_whatever_happens_messages_alternate_and_firing_is_told_at_most_once_in_a_quiet_time(
    steps: list[tuple[int, bool]],
) -> None:
    standing, now = UNTOLD, NOW
    firings: list[datetime] = []
    is_open = False
    for seconds, is_met in steps:
        now += timedelta(seconds=seconds)
        standing, message = decide(standing, is_met=is_met, quiet=QUIET, now=now)
        match message:
            case Told.FIRING | Told.STILL_FIRING:
                assert is_met
                assert is_open is (message is Told.STILL_FIRING)
                firings.append(now)
                is_open = True
            case Told.RESOLVED:
                assert is_open
                assert not is_met
                is_open = False
        # Its receiver hears at once that it is over; a rule that fires beyond the quiet time is notified again.
        assert is_met or not is_open
        assert not is_met or is_open or (firings and now < firings[-1] + QUIET)
    assert all(later - earlier >= QUIET for earlier, later in pairwise(firings))


@pytest.mark.django_db
def test_a_rule_counts_what_its_owner_may_read_now_whoever_has_changed_it() -> None:
    issuing.create(name="shop", scopes=["log:read", "log:rules"])
    rule = make_rule(owner="shop", query="level>=error")
    errors(9)
    rules.evaluate_due(now=NOW)
    assert told() == ["logs.alert.firing"]

    issuing.change(name="shop", scopes=["read:shop", "log:rules"], expires_at=None, limits={}, author="t", now=NOW)
    rules.evaluate_due(now=NOW + timedelta(seconds=15))

    assert told() == ["logs.alert.firing", "logs.alert.resolved"]
    rule.refresh_from_db()
    assert rule.count == 0


@pytest.mark.django_db
def test_rules_that_are_slow_to_count_delay_their_owners_own(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, evaluated = Clock(), list[str]()

    def evaluate(rule: AlertRule, *, now: datetime) -> bool:
        evaluated.append(rule.owner)
        AlertRule.objects.filter(pk=rule.pk).update(evaluated_at=now)
        clock.now += 3.0 if rule.owner == "slow" else 0.01
        return False

    monkeypatch.setattr(rules, "evaluate", evaluate)
    for number in range(6):
        make_rule(name=f"{number}", owner="slow")
        make_rule(name=f"{number}", owner="quick")

    rules.evaluate_due(now=NOW, clock=clock)
    assert evaluated.count("quick") == 6
    assert evaluated.count("slow") == 4

    rules.evaluate_due(now=NOW + timedelta(seconds=1), clock=clock)
    assert evaluated[10:] == ["slow"] * 2
