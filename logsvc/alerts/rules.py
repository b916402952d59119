"""Evaluates alert rules: when one fires, when to notify, and when it is resolved."""

import logging
import time
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from django.db import transaction
from django.db.models import F, Q

from config.clocks import SKEW
from config.problems import Problem
from config.tokens import issuing
from config.tokens.models import Token
from logsvc import access, timestamps
from logsvc.access import Services
from logsvc.alerts import messages
from logsvc.models import AlertRule, AlertState, Condition
from logsvc.query import parser
from logsvc.record import NANOSECONDS, Stored
from logsvc.storage.current import store
from logsvc.storage.interface import Range, Search

EVALUATION_SECONDS = 15
SAMPLES = 5
# A round of evaluations ends after this time, so that messages can be sent; the next round begins with the rules left.
ROUND_SECONDS = 10.0
# Longer windows are counted by whole minutes, which the store has counted already.
_SECONDS_COUNTED = 600

logger = logging.getLogger(__name__)


class Told(Enum):
    FIRING = "logs.alert.firing"
    STILL_FIRING = "logs.alert.still-firing"
    RESOLVED = "logs.alert.resolved"


@dataclass(frozen=True, kw_only=True)
class Standing:
    """The state of a rule. `is_told`: the receiver was notified that it fires, and not yet that it is resolved."""

    state: AlertState
    since: datetime | None
    told_at: datetime | None
    is_told: bool


def holds(condition: str, threshold: int, count: int) -> bool:
    return count > threshold if condition == Condition.MORE_THAN else count < threshold


def decide(standing: Standing, *, is_met: bool, quiet: timedelta, now: datetime) -> tuple[Standing, Told | None]:
    """The rule's new standing, and the notification to send.

    Firing is notified at most once within the quiet time, even when the rule is resolved and fires again meanwhile.
    Its resolution is notified once, if its firing was.
    """
    if not is_met:
        over = Standing(state=AlertState.OK, since=None, told_at=standing.told_at, is_told=False)
        return over, Told.RESOLVED if standing.is_told else None
    is_new = standing.state is not AlertState.FIRING
    since = now if is_new or standing.since is None else min(standing.since, now)
    # What was told in the future was told by a clock that was ahead.
    if standing.told_at is not None and standing.told_at - SKEW <= now < standing.told_at + quiet:
        return (
            Standing(state=AlertState.FIRING, since=since, told_at=standing.told_at, is_told=standing.is_told),
            None,
        )
    told = Told.STILL_FIRING if standing.is_told else Told.FIRING
    return Standing(state=AlertState.FIRING, since=since, told_at=now, is_told=True), told


def evaluate_due(*, now: datetime, clock: Callable[[], float] = time.monotonic) -> int:
    """Evaluate the rules that are due; returns how many messages that made. Safe to run in several workers.

    The owner whose rules have taken the least time comes next: rules that are slow to count delay their owner's own.
    """
    is_old = Q(evaluated_at__lte=now - timedelta(seconds=EVALUATION_SECONDS - 1)) | Q(evaluated_at__gt=now + SKEW)
    due: defaultdict[str, deque[AlertRule]] = defaultdict(deque)
    for rule in AlertRule.objects.filter(Q(evaluated_at=None) | is_old, is_enabled=True).order_by(
        F("evaluated_at").asc(nulls_first=True), "name", "id"
    ):
        due[rule.owner].append(rule)
    made = 0
    began = clock()
    taken: defaultdict[str, float] = defaultdict(float)
    while due and clock() - began < ROUND_SECONDS:
        owner = min(due, key=taken.__getitem__)
        rule = due[owner].popleft()
        if not due[owner]:
            del due[owner]
        rule_began = clock()
        try:
            made += evaluate(rule, now=now)
        except Problem as problem:
            AlertRule.objects.filter(pk=rule.pk).update(trouble=problem.detail[:300], evaluated_at=now)
        taken[owner] += clock() - rule_began
    return made


def evaluate(rule: AlertRule, *, now: datetime) -> bool:
    """Count, decide, and store the decision with its message. Raises Problem when it cannot be counted."""
    readable = scope(rule, now=now)
    if readable is None:
        AlertRule.objects.filter(pk=rule.pk).update(
            is_enabled=False, trouble=f"The token {rule.owner!r} that made this rule is no longer valid."
        )
        return False
    query = readable.restrict(parser.parse(rule.query))
    within = window(rule, now)
    assert within.from_ns is not None, "a window has two ends"
    assert within.to_ns is not None, "a window has two ends"
    step_ns = (1 if rule.window_seconds <= _SECONDS_COUNTED else 60) * NANOSECONDS
    # The store widens a range to whole steps.
    aligned = Range(from_ns=within.from_ns // step_ns * step_ns, to_ns=-(-within.to_ns // step_ns) * step_ns)
    histogram = store().histogram(query=query, within=aligned, step_ns=step_ns)
    count = sum(sum(bucket.values()) for bucket in histogram.counts)
    standing = Standing(state=AlertState(rule.state), since=rule.since, told_at=rule.told_at, is_told=rule.is_told)
    decided, told = decide(
        standing,
        is_met=holds(rule.condition, rule.threshold, count),
        quiet=timedelta(seconds=rule.quiet_seconds),
        now=now,
    )
    samples: list[Stored] = []
    if told not in (None, Told.RESOLVED):
        samples = store().search(Search(query=query, within=within, limit=SAMPLES)).records
    return _keep(rule, decided, told, count=count, within=within, samples=samples, now=now)


def scope(rule: AlertRule, *, now: datetime) -> Services | None:
    """The services that the rule's owner may read now, whoever changed the rule; None where its token is not valid.

    Raises Forbidden for a token that may read nothing any more.
    """
    if not rule.owner:
        return Services(are_all=True)
    valid = Q(expires_at=None) | Q(expires_at__gt=now)
    token = Token.objects.filter(valid, name=rule.owner, revoked_at=None).first()
    return None if token is None else access.readable(issuing.holder_of(token))


def window(rule: AlertRule, now: datetime) -> Range:
    end = timestamps.from_datetime(now)
    return Range(from_ns=end - rule.window_seconds * NANOSECONDS, to_ns=end)


@transaction.atomic
def _keep(
    rule: AlertRule,
    decided: Standing,
    told: Told | None,
    *,
    count: int,
    within: Range,
    samples: list[Stored],
    now: datetime,
) -> bool:
    # Repeated on purpose: another worker may have evaluated it, or somebody changed it, since it was read.
    claimed = AlertRule.objects.filter(
        pk=rule.pk, evaluated_at=rule.evaluated_at, changed_at=rule.changed_at, is_enabled=True
    ).update(
        state=decided.state,
        since=decided.since,
        told_at=decided.told_at,
        is_told=decided.is_told,
        count=count,
        trouble="",
        evaluated_at=now,
    )
    if not claimed or told is None:
        return False
    messages.add(
        rule, told.value, messages.outcome(rule, decided.since, count=count, within=within, samples=samples), now=now
    )
    return True
