"""Every dependent's view comes to equal the truth, whatever happens on the way."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from registry import retention
from registry.client import snapshot as view
from registry.client.decoding import decode
from registry.client.snapshot import Snapshot
from registry.client.wire import Change, Provider, Registered, Resolution
from registry.health import deadlines
from registry.instances import catalogue, overrides, registration
from registry.journal import log
from registry.models import Instance, InstanceKey, Status
from registry.webhooks import cursors, replay
from registry.webhooks.compose import Message
from registry.webhooks.cursors import Attempt
from registry.wire.bodies import instance_body, provider_body
from tests import factories
from tests.examples import examples

PROVIDERS = [InstanceKey(service=service, instance=f"{service}-{number}") for service in "abc" for number in (1, 2)]
DEPENDENTS = {"d": ("a", "b"), "e": ("b",), "f": ("c",)}
providers = st.sampled_from(PROVIDERS)
dependents = st.sampled_from(sorted(DEPENDENTS))


@dataclass
class Dependent:
    """A service that applies what it is told by the SDK's rules, and asks where they tell it to."""

    service: str
    snapshot: Snapshot = field(default_factory=Snapshot)
    # Messages under way that may still arrive, late and more than once.
    late: list[Message] = field(default_factory=list)

    @property
    def key(self) -> InstanceKey:
        return InstanceKey(service=self.service, instance=f"{self.service}-1")

    def register(self, now: datetime) -> None:
        position = self.snapshot.position
        answer = factories.register(self.service, now=now, requires=list(DEPENDENTS[self.service]))
        after = view.after_registering(
            self.snapshot, _registered(answer), asked_at=position, was_forgotten=False, remember_until=0.0
        )
        self._take(after)

    def receive(self, message: Message) -> None:
        data = msgspec.json.decode(message.body)["data"]
        mentioned = [each["service"] for part in ("added", "changed", "removed") for each in data[part]]
        assert set(mentioned) <= set(DEPENDENTS[self.service]), "told of what it does not require"
        after = None if data.get("resync") else view.after_change(self.snapshot, decode(Change, data))
        self._take(after if after is not None else self._asked())

    def _asked(self) -> Snapshot:
        position = self.snapshot.position
        answer = Resolution(revision=log.head(), providers=_offered(self.service))
        after = view.after_asking(self.snapshot, answer, asked_at=position)
        assert after is not None, "the registry's revision went back"
        return after

    def _take(self, after: Snapshot) -> None:
        assert after.revision >= self.snapshot.revision, "a view went back"
        self.snapshot = after


class Convergence(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        factories.empty_tables()
        self.now = datetime(2026, 11, 23, tzinfo=UTC)
        self.dependents = {service: Dependent(service) for service in DEPENDENTS}
        for dependent in self.dependents.values():
            dependent.register(self.now)
        entries = [factories.entry(provider.service, provider.instance) for provider in PROVIDERS[::2]]
        factories.pass_together(entries, now=self.now)

    @rule(provider=providers, weight=st.integers(1, 3))
    def register(self, provider: InstanceKey, weight: int) -> None:
        factories.register(provider.service, provider.instance, now=self.now, weight=weight)

    @rule(provider=providers, succeeded=st.booleans(), times=st.integers(1, 3))
    def probe(self, provider: InstanceKey, succeeded: bool, times: int) -> None:
        instance = Instance.objects.filter(service=provider.service, name=provider.instance).first()
        if instance is not None:
            factories.judge(instance, succeeded=succeeded, now=self.now, times=times)

    @rule(provider=providers)
    def deregister(self, provider: InstanceKey) -> None:
        registration.deregister(provider, author="tester", now=self.now)

    @rule(provider=providers)
    def drain(self, provider: InstanceKey) -> None:
        if Instance.objects.filter(service=provider.service, name=provider.instance).exists():
            overrides.drain(provider, seconds=20, reason="", author="tester", now=self.now)

    @rule(provider=providers, whole=st.booleans())
    def begin_maintenance(self, provider: InstanceKey, whole: bool) -> None:
        instance = "" if whole else provider.instance
        until = self.now + timedelta(seconds=30)
        overrides.begin_maintenance(provider.service, instance, until=until, reason="", author="tester", now=self.now)

    @rule(service=dependents)
    def restart_dependent(self, service: str) -> None:
        """Have the dependent register again, having kept what it knew."""
        self.dependents[service].register(self.now)

    @rule(service=dependents)
    def lose_view(self, service: str) -> None:
        """Start the dependent on another machine, knowing nothing."""
        self.dependents[service] = Dependent(service)
        self.dependents[service].register(self.now)

    @rule(fate=st.sampled_from(["taken", "lost", "answer lost", "doubled", "late", "crashed before", "crashed after"]))
    def deliver(self, fate: str) -> None:
        messages = cursors.claim(now=self.now, limit=100)
        for message in messages:
            dependent = self.dependents[message.service]
            if fate in ("taken", "answer lost", "doubled", "crashed after"):
                dependent.receive(message)
            if fate in ("doubled", "late"):
                dependent.late.append(message)
        if not fate.startswith("crashed"):
            status = 204 if fate in ("taken", "doubled") else 503
            cursors.record([_attempt(each, status) for each in messages], now=self.now)

    @rule(service=dependents, data=st.data())
    def deliver_late(self, service: str, data: st.DataObject) -> None:
        late = self.dependents[service].late
        if late:
            self.dependents[service].receive(late.pop(data.draw(st.integers(0, len(late) - 1))))

    @rule(service=dependents)
    def resync(self, service: str) -> None:
        replay.resync([self.dependents[service].key])

    @rule(seconds=st.sampled_from([1, 10, 70, 400]))
    def wait(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)
        deadlines.enforce(now=self.now)

    @rule()
    def prune(self) -> None:
        retention.prune(now=self.now + timedelta(days=100))

    @invariant()
    def nothing_is_both_offered_and_not(self) -> None:
        for offered in catalogue.offered("abc").values():
            for instance in offered:
                assert not instance.is_in_maintenance
                assert instance.draining_until is None
                assert instance.status != Status.CRITICAL

    @rule()
    def settle(self) -> None:
        """The network is well for as long as the longest wait between two attempts."""
        for _ in range(2):
            self.now += timedelta(seconds=400)
            self.deliver("taken")
        for dependent in self.dependents.values():
            assert dependent.snapshot.providers == _offered(dependent.service)

    def teardown(self) -> None:
        self.settle()
        for dependent in self.dependents.values():
            while dependent.late:
                dependent.receive(dependent.late.pop())
        self.settle()


@pytest.mark.django_db
def test_every_view_equals_the_truth_once_quiet() -> None:
    run_state_machine_as_test(
        Convergence,
        settings=settings(
            max_examples=examples(60),
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
        ),
    )


def _offered(service: str) -> dict[str, tuple[Provider, ...]]:
    offered = catalogue.offered(DEPENDENTS[service])
    return {name: tuple(decode(Provider, provider_body(each)) for each in offered[name]) for name in sorted(offered)}


def _registered(answer: registration.Registered) -> Registered:
    body: dict[str, Any] = {
        "instance": instance_body(answer.instance),
        "revision": answer.revision,
        "providers": {name: [provider_body(each) for each in some] for name, some in answer.providers.items()},
    }
    return decode(Registered, body)


def _attempt(message: Message, status: int) -> Attempt:
    return Attempt(message=message, status_code=status, duration_ms=1.0, error="" if status == 204 else "503")
