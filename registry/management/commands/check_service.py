"""Probe now, explain the verdict, and end with an exit code that monitoring understands."""

import asyncio
from argparse import ArgumentParser
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from django.core.management import CommandError
from django.utils import timezone

from config import commands
from config.commands import Report
from registry.errors import UnknownService
from registry.health import leases, protection
from registry.health.probe import Due, Finding, Health, Result
from registry.health.prober import Prober
from registry.health.verdict import judge
from registry.instances import catalogue, standing
from registry.instances.declaration import address_policy
from registry.models import HeartbeatKind, Instance, Status
from registry.wire.bodies import instance_body, tenths, timestamp

PASSING, WARNING, CRITICAL, UNKNOWN = 0, 1, 2, 3
_CODES = {
    "passing": PASSING,
    "warning": WARNING,
    "degraded": WARNING,
    "maintenance": WARNING,
    "draining": WARNING,
    "critical": CRITICAL,
    "missing": CRITICAL,
}


class Command(commands.Reporting):
    help = (
        "Probe an instance, or with none named all of a service, and explain the verdict. Nothing is counted or "
        "written. The exit code is that of a Nagios plugin, by what dependents are told: 0 passing, 1 warning (also "
        "maintenance, draining, and a service of which only some instances are offered), 2 critical, 3 unknown (also "
        "starting, an unknown name, and a wrong command line). Example: check_service billing billing-1"
    )

    usage_code = UNKNOWN

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="the service")
        parser.add_argument("instance", nargs="?", help="one of its instances (default: all)")

    def report(self, **options: Any) -> Report:
        service, name = options["name"], options["instance"]
        instances = [catalogue.instance(service, name)] if name else catalogue.instances(service)
        if not instances:
            raise UnknownService(service)
        shown = instances[0].shown_status if name else standing.findings(catalogue.summaries()).states[service]
        dues = [leases.due_of(instance.heartbeat) for instance in instances]
        checked = list(zip(instances, asyncio.run(_probe(dues)), strict=True))
        return Report(
            lines=(line for instance, result in checked for line in _explain(instance, result)),
            body=[_body(instance, result) for instance, result in checked],
            exit_code=_exit_code(shown, instances),
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            super().handle(*args, **options)
        except CommandError as error:
            # It could not answer: critical is only what the registry says is critical.
            error.returncode = UNKNOWN
            raise


def _exit_code(shown: str, instances: Sequence[Instance]) -> int:
    code = _CODES.get(shown, UNKNOWN)
    are_all_offered = all(instance.is_offered for instance in instances)
    return WARNING if code == PASSING and not are_all_offered else code


async def _probe(dues: Sequence[Due]) -> list[Result | None]:
    """Probe all at the same time, so that slow ones are waited for together."""
    prober = Prober(address_policy(), on_alarm=lambda alarmed: None, claim=lambda alarmed: [])
    probed = [due for due in dues if due.kind != HeartbeatKind.TTL]
    try:
        results = await asyncio.gather(*(prober.probe(due) for due in probed))
    finally:
        await prober.close()
    found = dict(zip(probed, results, strict=True))
    return [found.get(due) for due in dues]


def _body(instance: Instance, result: Result | None) -> dict[str, Any]:
    due_at = datetime.fromtimestamp(instance.heartbeat.due_at, UTC)
    probe = result and {
        "finding": result.finding.value,
        "detail": result.detail,
        "latency_ms": tenths(result.latency_ms),
        "before": _health_body(result.due.health),
        "after": _health_body(_after(result)),
    }
    return {
        **instance_body(instance),
        "due_at": timestamp(due_at),
        "probe": probe,
    }


def _health_body(health: Health) -> dict[str, Any]:
    return {
        "verdict": health.verdict,
        "failures": health.failures,
        "successes": health.successes,
        "damped": health.is_damped,
    }


def _explain(instance: Instance, result: Result | None) -> Iterator[str]:
    since = f"{instance.status_since:%Y-%m-%d %H:%M:%S} UTC"
    reason = instance.status_reason.rstrip(".") or "no reason was given"
    yield f"{instance}: {instance.shown_status}"
    yield f"  It is {instance.status} since {since}: {reason}."
    if instance.is_in_maintenance:
        since = f"{instance.shown_since:%Y-%m-%d %H:%M:%S} UTC"
        why = f" ({instance.shown_reason})" if instance.shown_reason else ""
        yield f"  It is in maintenance since {since}{why}: it is not offered, whatever its heartbeats say."
    if instance.draining_until is not None:
        yield f"  It drains: it is not offered, and deregistered at {instance.draining_until:%H:%M:%S} UTC."
    if instance.is_suspect:
        situation = protection.situation(now=timezone.now())
        yield f"  It is suspect, and stays offered: {situation.reason or 'its next probe decides'}."
    if result is None:
        waited = instance.heartbeat.due_at - timezone.now().timestamp()
        yield f"  It beats by itself every {instance.interval_seconds:g} s; the next beat is due in {waited:.1f} s."
    else:
        latency = "" if result.latency_ms is None else f" ({result.latency_ms:.1f} ms)"
        yield f"  Probed now: {result.detail.rstrip('.')}{latency}."
        yield f"  {_consequence(result)}"


def _after(result: Result) -> Health:
    """The health that would follow if this result were counted."""
    now = timezone.now().timestamp()
    return judge(result.due.health, result.finding, thresholds=result.due.thresholds, now=now)


def _consequence(result: Result) -> str:
    """Say in one sentence what would follow if this result were counted."""
    after, limits = _after(result), result.due.thresholds
    if result.finding is Finding.INCONCLUSIVE:
        return "The registry could not probe it for a fault of its own: the verdict stays."
    if after.is_damped:
        return "It is flapping: it stays critical until it has been steady for up to three minutes."
    if after.failures:
        count = f"failure {after.failures} in a row, of {limits.failures_before_critical} for critical"
        return f"That is {count}: {'it would be critical' if after.verdict == Status.CRITICAL else 'not yet enough'}."
    count = f"success {after.successes} in a row, of {limits.successes_before_passing} for passing"
    return f"That is {count}: its verdict would be {after.verdict}."
