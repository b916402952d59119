"""However workers die and overlap: nobody is forgotten, probed by two at a time, or judged twice for one probe."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from registry.health import deadlines, leases, protection
from registry.health import results as heartbeats
from registry.health.leases import LEASE_MARGIN_SECONDS
from registry.health.probe import Due
from registry.health.worker import AHEAD_SECONDS
from registry.instances import catalogue, registration
from registry.models import Heartbeat, Instance, InstanceKey, Status
from tests import factories
from tests.examples import examples

INTERVAL_SECONDS, TIMEOUT_SECONDS = 10.0, 5.0
LEASE_SECONDS = AHEAD_SECONDS + LEASE_MARGIN_SECONDS + TIMEOUT_SECONDS
HEARTBEAT = {
    "kind": "http",
    "interval_seconds": INTERVAL_SECONDS,
    "timeout_seconds": TIMEOUT_SECONDS,
    "failures_before_critical": 2,
    "deregister_after_seconds": 15,
}
NAMES = [f"billing-{number}" for number in range(4)]
names = st.sampled_from(NAMES)
workers = st.sampled_from(["a", "b"])


class RollCall(RuleBasedStateMachine):
    """Two workers, each with a beat of its own."""

    def __init__(self) -> None:
        super().__init__()
        factories.empty_tables()
        self.now = datetime(2026, 11, 23, tzinfo=UTC)
        self.held: dict[str, list[Due]] = {"a": [], "b": []}
        # Until when each instance is somebody's, as it was last claimed.
        self.leases: dict[int, float] = {}
        for name in NAMES[:2]:
            self.register(name)

    @rule(name=names)
    def register(self, name: str) -> None:
        factories.register("billing", name, now=self.now, heartbeat=HEARTBEAT)

    @rule(seconds=st.sampled_from([0.1, 1, 5, 30]))
    def wait(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    @rule(worker=workers)
    def sweep(self, worker: str) -> None:
        at = self.now.timestamp()
        protection.tick(is_cut_off=False, now=at)
        self._take(worker, leases.claim(now=at, limit=100, ahead=AHEAD_SECONDS))
        for each in Heartbeat.objects.all():
            assert max(each.due_at, each.lease_until) - at <= INTERVAL_SECONDS + LEASE_SECONDS, "forgotten"
            assert each.lease_until > at or each.due_at > at, "left out"

    @rule(worker=workers)
    def hear_alarm(self, worker: str) -> None:
        ids = list(Instance.objects.values_list("pk", flat=True))
        self._take(worker, leases.claim_now(ids, now=self.now.timestamp()))

    @rule(worker=workers, succeeded=st.booleans(), is_doubled=st.booleans())
    def write(self, worker: str, succeeded: bool, is_doubled: bool) -> None:
        """Write a result: in time, late, or after another worker has taken over."""
        found, self.held[worker] = self.held[worker], []
        before = {each.pk: each for each in Heartbeat.objects.all()}
        proven = {due.instance_id for due in found if _is_proven(due, before)}
        results = [factories.probe(due, succeeded=succeeded) for due in found]
        for _ in range(1 + is_doubled):
            heartbeats.record(results, now=self.now)
        for each in Heartbeat.objects.all():
            counted = _count(each, succeeded) - _count(before[each.pk], succeeded)
            assert counted == (each.pk in proven), "judged without a claim, or twice"
        for pk in proven:
            self.leases.pop(pk, None)

    @rule(worker=workers)
    def kill(self, worker: str) -> None:
        self.held[worker] = []

    @rule(name=names)
    def deregister(self, name: str) -> None:
        registration.deregister(InstanceKey(service="billing", instance=name), author="tester", now=self.now)

    @rule()
    def enforce(self) -> None:
        before = dict(Instance.objects.values_list("pk", "status"))
        deadlines.enforce(now=self.now)
        gone = before.keys() - set(Instance.objects.values_list("pk", flat=True))
        assert all(before[pk] == Status.CRITICAL for pk in gone), "gave up what was offered"

    @invariant()
    def only_what_is_registered_and_not_critical_is_offered(self) -> None:
        registered = dict(Instance.objects.values_list("name", "status"))
        for offered in catalogue.offered(["billing"])["billing"]:
            assert registered[offered.name] != Status.CRITICAL

    def _take(self, worker: str, claimed: list[Due]) -> None:
        at = self.now.timestamp()
        for due in claimed:
            assert self.leases.get(due.instance_id, 0.0) <= at, "probed by two at a time"
            self.leases[due.instance_id] = due.lease_until
        self.held[worker] += claimed


@pytest.mark.django_db
def test_however_workers_die_and_overlap_the_roll_is_called_and_each_probe_judged_once() -> None:
    run_state_machine_as_test(
        RollCall,
        settings=settings(
            max_examples=examples(60),
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
        ),
    )


def _is_proven(due: Due, heartbeats_before: dict[int, Heartbeat]) -> bool:
    heartbeat = heartbeats_before.get(due.instance_id)
    return heartbeat is not None and heartbeat.lease_until == due.lease_until


def _count(heartbeat: Heartbeat, succeeded: bool) -> int:
    return heartbeat.successes if succeeded else heartbeat.failures
