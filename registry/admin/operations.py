"""The operations of the admin: each calls the domain as the API does, and says in words what it did."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.forms import Form

from registry.admin import forms
from registry.health import protection, results
from registry.instances import catalogue, overrides, registration, rotation
from registry.models import HeartbeatKind, InstanceKey
from registry.webhooks import replay, sender

PERMISSION = "registry.operate_instance"


@dataclass(frozen=True, kw_only=True)
class Order:
    """An operation's targets and the form's values; a target with no instance named is a whole service."""

    author: str
    now: datetime
    targets: Sequence[InstanceKey] = ()
    given: Mapping[str, Any] = field(default_factory=dict)

    @property
    def names(self) -> str:
        return ", ".join(name_of(target) for target in self.targets)


@dataclass(frozen=True, kw_only=True)
class Operation:
    """`removes` says that dependents lose the targets, `sends` that it calls another machine.

    `reveal` stands in for `carry_out` where a secret is made: it returns what was done, and the secret.
    """

    name: str
    title: str
    explanation: str
    icon: str
    carry_out: Callable[[Order], str]
    form: type[Form] = forms.ReasonForm
    reveal: Callable[[Order], tuple[str, str]] | None = None
    removes: bool = False
    deregisters: bool = False
    sends: bool = False
    is_for_one: bool = False
    is_for_services: bool = False
    is_for_dependents: bool = False
    needs_targets: bool = True


def name_of(target: InstanceKey) -> str:
    return f"{target.service}/{target.instance}" if target.instance else target.service


def probe(order: Order) -> str:
    instances = [catalogue.instance(each.service, each.instance) for each in order.targets]
    count = results.hurry(instances, now=order.now)
    beating = sum(instance.heartbeat_kind == HeartbeatKind.TTL for instance in instances)
    others = len(instances) - beating - count
    already = f" {others} being probed already." if others else ""
    by_themselves = f" {beating} beating by itself." if beating == 1 else f" {beating} beating by themselves."
    return f"Due to be probed now: {count} of {len(instances)}.{already}{by_themselves if beating else ''}"


def begin_maintenance(order: Order) -> str:
    minutes, reason = order.given["minutes"], order.given["reason"]
    until = order.now + timedelta(minutes=minutes) if minutes else None
    for each in order.targets:
        overrides.begin_maintenance(
            each.service, each.instance, until=until, reason=reason, author=order.author, now=order.now
        )
    end = f"until {until:%Y-%m-%d %H:%M} UTC" if until else "until somebody ends it"
    return f"In maintenance {end}: {order.names}. Reason: {reason}"


def end_maintenance(order: Order) -> str:
    ended = [
        each
        for each in order.targets
        if overrides.end_maintenance(
            each.service, each.instance, reason=order.given["reason"], author=order.author, now=order.now
        )
    ]
    return (
        f"Ended the maintenance of {', '.join(map(name_of, ended))}."
        if ended
        else "None of them was in a maintenance of its own."
    )


def drain(order: Order) -> str:
    seconds, reason = order.given["seconds"], order.given["reason"]
    for each in order.targets:
        overrides.drain(each, seconds=seconds, reason=reason, author=order.author, now=order.now)
    return f"Draining for {seconds} s, then deregistered: {order.names}.{_because(reason)}"


def deregister(order: Order) -> str:
    reason = order.given["reason"]
    gone = [
        name_of(each)
        for each in order.targets
        if registration.deregister(each, author=order.author, reason=reason, now=order.now)
    ]
    return f"Deregistered: {', '.join(gone)}.{_because(reason)}" if gone else "None of them was registered any more."


def replay_since(order: Order) -> str:
    revision = order.given["since"]
    for each in order.targets:
        replay.since(each, revision)
    return f"The changes since revision {revision} are delivered again: {order.names}."


def resync(order: Order) -> str:
    replay.resync(order.targets)
    return f"Asked to read all its providers again: {order.names}."


def try_webhook(order: Order) -> str:
    (target,) = order.targets
    attempt = sender.send_now(replay.trial(target, now=order.now))
    status = "no answer" if attempt.status_code is None else f"status {attempt.status_code}"
    outcome = "accepted it" if attempt.succeeded else f"failed: {attempt.error}"
    return f"{name_of(target)} {outcome} ({status} after {attempt.duration_ms:.0f} ms)."


def rotate_secret(order: Order) -> tuple[str, str]:
    (target,) = order.targets
    secret = rotation.rotate(target, reason=order.given["reason"], author=order.author, now=order.now)
    return f"Rotated the webhook secret of {name_of(target)}.", secret


def end_protection(order: Order) -> str:
    return "Protection has ended." if protection.end(now=order.now) else "Protection was not active."


def _because(reason: str) -> str:
    return f" Reason: {reason}" if reason else ""


_ALL = (
    Operation(
        name="probe",
        title="Probe now",
        explanation="The next probe is made now; its result counts like any other.",
        icon="radar",
        carry_out=probe,
    ),
    Operation(
        name="maintenance",
        title="Begin maintenance",
        explanation="It is not offered until this ends, whatever its probes find and however often it registers.",
        icon="build",
        carry_out=begin_maintenance,
        form=forms.MaintenanceForm,
        removes=True,
        is_for_services=True,
    ),
    Operation(
        name="end-maintenance",
        title="End maintenance",
        explanation="It is offered again if its probes pass and it is in no other maintenance.",
        icon="build_circle",
        carry_out=end_maintenance,
        is_for_services=True,
    ),
    Operation(
        name="drain",
        title="Drain",
        explanation="It is no longer offered, finishes its requests, and is then deregistered.",
        icon="water_drop",
        carry_out=drain,
        form=forms.DrainForm,
        removes=True,
    ),
    Operation(
        name="replay",
        title="Redeliver",
        explanation="The net change since a revision is delivered to the dependent again.",
        icon="replay",
        carry_out=replay_since,
        form=forms.ReplayForm,
        is_for_one=True,
        is_for_dependents=True,
    ),
    Operation(
        name="resync",
        title="Resync",
        explanation="The dependent is asked to read all its providers again, whatever it knows.",
        icon="sync",
        carry_out=resync,
        is_for_dependents=True,
    ),
    Operation(
        name="trial",
        title="Send a test notification",
        explanation="A signed webhook that changes nothing is sent now, and its answer is shown.",
        icon="outgoing_mail",
        carry_out=try_webhook,
        sends=True,
        is_for_one=True,
        is_for_dependents=True,
    ),
    Operation(
        name="rotate-secret",
        title="Rotate secret",
        explanation=(
            "A new secret signs its webhooks and is shown once; for 24 hours the old one signs them too. It is for a "
            "dependent whose secret is configured by hand: one that uses the SDK registers its own secret again when "
            "it restarts."
        ),
        icon="key",
        carry_out=lambda order: "",
        reveal=rotate_secret,
        is_for_one=True,
        is_for_dependents=True,
    ),
    Operation(
        name="deregister",
        title="Deregister",
        explanation="It is removed at once. This run of its process cannot register again; a new one can.",
        icon="delete",
        carry_out=deregister,
        removes=True,
        deregisters=True,
    ),
    Operation(
        name="end-protection",
        title="End protection",
        explanation=(
            "Every instance that still fails becomes critical with its next probe, and its dependents are told. "
            "Protection does not begin again within ten minutes."
        ),
        icon="shield",
        carry_out=end_protection,
        removes=True,
        needs_targets=False,
    ),
)
OPERATIONS = {each.name: each for each in _ALL}
