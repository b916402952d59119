"""The panels of an instance's and a service's page: facts, health, uptime, events, deliveries, operations."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.models import AnonymousUser, User
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString

from registry.admin import cells, charts
from registry.admin.charts import Bar
from registry.admin.deliveries import outcome
from registry.admin.operations import OPERATIONS, PERMISSION
from registry.health import protection as guard
from registry.health import uptime
from registry.health.probe_counts import DAY, HOUR, Counts
from registry.health.uptime import Report
from registry.instances import catalogue
from registry.instances.standing import Standing
from registry.journal import log
from registry.models import Cursor, Delivery, Heartbeat, Instance, InstanceKey, JournalEntry, Maintenance
from registry.wire.bodies import age

DAYS = 90
CHANGES = 10


def protection(request: HttpRequest, *, now: datetime) -> dict[str, Any]:
    """The context of the banner (registry/admin/protection.html)."""
    return {
        "protection": guard.situation(now=now),
        "end_protection_url": cells.operation_url("end-protection") if _may_operate(request.user) else "",
    }


def of_instance(request: HttpRequest, instance: Instance, *, now: datetime) -> dict[str, Any]:
    target = InstanceKey(service=instance.service, instance=instance.name)
    entries = JournalEntry.objects.filter(service=instance.service, instance=instance.name)
    days = uptime.of_instance(instance.service, instance.name, days=DAYS, span_hours=DAY, now=now)
    latest = uptime.of_instance(instance.service, instance.name, days=1, span_hours=HOUR, now=now)
    summary = catalogue.summary(instance.service)
    deliveries = None
    if instance.notify_url is not None:
        cursor = Cursor.objects.filter(instance=instance).first()
        found = Delivery.objects.filter(service=instance.service, instance=instance.name)
        deliveries = {"cursor": _cursor(cursor) if cursor else "", "table": _delivered(found)}
    return {
        "instance": instance,
        "facts": _facts(instance, now=now),
        "heartbeat": _heartbeat(instance),
        "uptime": _uptime(days, now=now),
        "latest": _totals(latest.total),
        "latency": _latency(latest, now=now),
        "logs_url": _logs_url(instance.service),
        "requires": _services(instance.requires),
        "required_by": _services(summary.required_by),
        "changes": _changes(entries),
        "deliveries": deliveries,
        "maintenance": _maintenance(instance.service, instance.name),
        "operations": _operations(request, target, is_dependent=instance.notify_url is not None),
    }


def of_service(request: HttpRequest, standing: Standing, instances: list[Instance], *, now: datetime) -> dict[str, Any]:
    summary = standing.summary
    service = summary.service
    latest = uptime.of_service(service, days=1, span_hours=HOUR, now=now)
    return {
        "summary": summary,
        "standing": standing,
        "why": cells.visible(standing.reason),
        "since": f"for {age(standing.since, now=now)}" if standing.since else "",
        "causes": [cells.service_link(each) for each in standing.causes],
        "statuses": cells.statuses(summary.counts),
        "instances": _instances(instances, now=now),
        "uptime": _uptime(uptime.of_service(service, days=DAYS, span_hours=DAY, now=now), now=now),
        "latest": _totals(latest.total),
        "latency": _latency(latest, now=now),
        "requires": _services(summary.requires),
        "required_by": _services(summary.required_by),
        "changes": _changes(JournalEntry.objects.filter(service=service)),
        "deliveries": {"table": _delivered(Delivery.objects.filter(service=service))},
        "logs_url": _logs_url(service),
        "maintenance": _maintenance(service, ""),
        "operations": _operations(request, InstanceKey(service=service, instance=""), is_dependent=False),
    }


def _may_operate(user: User | AnonymousUser) -> bool:
    return user.has_perm(PERMISSION)


def _operations(request: HttpRequest, target: InstanceKey, *, is_dependent: bool) -> list[dict[str, Any]]:
    """The buttons of the operations that apply to the target."""
    if not _may_operate(request.user):
        return []
    is_whole = not target.instance
    is_held = Maintenance.objects.filter(service=target.service, instance=target.instance).exists()
    return [
        {"operation": each, "url": cells.operation_url(each.name, [target])}
        for each in OPERATIONS.values()
        if each.needs_targets
        and (is_held or each.name != "end-maintenance")
        and (is_dependent or not each.is_for_dependents)
        and (each.is_for_services or not is_whole)
    ]


def _facts(instance: Instance, *, now: datetime) -> list[tuple[str, Any]]:
    facts = [
        ("Status", cells.status(instance)),
        ("Since", f"{cells.moment(instance.shown_since)}, for {age(instance.shown_since, now=now)}"),
        ("Why", cells.visible(instance.shown_reason) or "no reason was given"),
        ("Address", instance.url),
        ("Service", cells.service_link(instance.service)),
    ]
    if instance.draining_until is not None:
        facts.append(("Drains until", cells.moment(instance.draining_until)))
    return facts


def _heartbeat(instance: Instance) -> list[tuple[str, Any]]:
    """Rows in the order an operator debugging the verdict needs."""
    heartbeat: Heartbeat = instance.heartbeat
    latency = "" if heartbeat.latency_ms is None else f" ({heartbeat.latency_ms:.1f} ms)"
    until = moment(heartbeat.lease_until)
    is_held = until is not None and until > timezone.now()
    lease = f"being probed, by a worker whose lease ends {cells.moment(until)}" if is_held else "not held"
    in_a_row = (
        f"{heartbeat.failures} failures in a row, of {instance.failures_before_critical} for critical"
        if heartbeat.failures
        else f"{heartbeat.successes} successes in a row, of {instance.successes_before_passing} for passing"
    )
    return [
        ("Verdict", cells.state(heartbeat.verdict)),
        ("Result", f"{cells.visible(heartbeat.detail)}{latency}" if heartbeat.detail else "not probed yet"),
        ("Last", cells.moment(moment(heartbeat.last_at))),
        ("Last success", cells.moment(moment(heartbeat.passed_at))),
        ("Next", cells.moment(moment(heartbeat.due_at))),
        ("Lease", lease),
        ("Streak", in_a_row),
        ("Flapping", "held critical until it has been steady" if heartbeat.is_damped else "no"),
        ("Kind", f"{instance.get_heartbeat_kind_display()} every {instance.interval_seconds:g} s"),
    ]


def moment(seconds: float | None) -> datetime | None:
    """A time that Heartbeat keeps in seconds since the epoch."""
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def _uptime(report: Report, *, now: datetime) -> dict[str, Any]:
    """A bar for each day, and their total."""
    counts = {start.date(): each for start, each in report.periods}
    days = [now.date() - timedelta(days=ago) for ago in reversed(range(DAYS))]
    found = [(day, counts.get(day)) for day in days]
    bars = [Bar(value=each.uptime if each else None, title=f"{day}: {_said(each)}") for day, each in found]
    totals = _totals(report.total)
    return {
        "days": DAYS,
        "bars": charts.shares(bars, label=f"Uptime by day, today on the right: {totals['said']}"),
        **totals,
    }


def _latency(report: Report, *, now: datetime) -> SafeString | None:
    """The mean latency of each of the last 24 hours; None when nothing was timed."""
    counts = dict(report.periods)
    hour = now.replace(minute=0, second=0, microsecond=0)
    bars = []
    for ago in reversed(range(24)):
        each = counts.get(hour - timedelta(hours=ago))
        mean = each.latency_mean_ms if each else None
        title = f"{hour - timedelta(hours=ago):%H}:00 UTC: " + ("not timed" if mean is None else f"{mean:.1f} ms")
        bars.append(Bar(value=mean, title=title))
    mean = report.total.latency_mean_ms
    if mean is None:
        return None
    label = f"Mean latency by hour in the last 24: {mean:.1f} ms on average, {report.total.latency_max_ms:.0f} at most"
    return charts.bars(bars, label=label)


def _totals(counts: Counts) -> dict[str, Any]:
    return {"percent": percent(counts.uptime), "said": _said(counts)}


def percent(share: float | None) -> str:
    """Rounded down, so that only what never failed is at 100 %."""
    return "not probed" if share is None else f"{int(share * 100_000) / 1000:.6g} %"


def _said(counts: Counts | None) -> str:
    if counts is None or not counts.probes:
        return "not probed"
    said = f"{percent(counts.uptime)} of {counts.probes:,} probes, {counts.failures:,} failed"
    mean = counts.latency_mean_ms
    return said if mean is None else f"{said}, {mean:.1f} ms on average, {counts.latency_max_ms:.0f} ms at most"


def _services(names: Iterable[str]) -> list[SafeString]:
    wanted = sorted(names)
    offered = catalogue.offered(wanted)
    return [cells.service_link(name, is_down=not offered[name]) for name in wanted]


def _instances(instances: list[Instance], *, now: datetime) -> SafeString:
    beats = {each.pk: each for each in Heartbeat.objects.filter(pk__in=[each.pk for each in instances])}
    rows = []
    for each in instances:
        beat = beats.get(each.pk)
        due_in = beat.due_at - now.timestamp() if beat else 0.0
        rows.append(
            [
                cells.instance_link(each),
                cells.status(each),
                age(each.shown_since, now=now),
                each.url,
                f"in {cells.seconds(due_in)}" if due_in > 0 else "now",
                cells.visible(each.shown_reason),
            ]
        )
    return cells.table(["Instance", "State", "For", "Address", "Next probe", "Why"], rows)


def _changes(entries: QuerySet[JournalEntry]) -> SafeString:
    rows = [
        [
            str(each.revision),
            cells.when(each.at),
            each.instance,
            cells.state(each.change, each.get_change_display()),
            cells.visible(each.author),
            cells.visible(each.reason),
        ]
        for each in entries[:CHANGES]
    ]
    return cells.table(["Revision", "When", "Instance", "Event", "By", "Why"], rows)


def _delivered(deliveries: QuerySet[Delivery]) -> SafeString:
    rows = [
        [
            cells.delivery_link(each),
            each.instance,
            f"{each.from_revision} to {each.to_revision}",
            outcome(each),
            f"{each.duration_ms:.0f} ms",
            cells.visible(each.error),
        ]
        for each in deliveries[:CHANGES]
    ]
    return cells.table(["When", "Instance", "Revisions", "Outcome", "Took", "Error"], rows)


def _logs_url(service: str) -> str:
    """The service's logs in the web UI, wherever an instance of that is offered."""
    offered = catalogue.offered(["webui"])["webui"]
    return f"{offered[0].url}/logs?{urlencode({'service': service})}" if offered else ""


def _cursor(cursor: Cursor) -> str:
    if cursor.is_stopped:
        return "It answered 410: nothing is delivered to it until it registers again."
    at = max(cursor.notified_revision, cursor.scanned_revision)
    behind = log.head() - at
    said = f"It knows revision {at}" + (f", {behind} behind the journal." if behind else ", the newest.")
    failed = f" {cursor.attempts} attempts in a row have failed." if cursor.attempts else ""
    return f"{said}{failed}" + (" A resync is asked of it." if cursor.needs_resync else "")


def _maintenance(service: str, instance: str) -> list[str]:
    """The maintenance that holds over it, in words."""
    found = Maintenance.objects.filter(service=service, instance__in={"", instance})
    said = []
    for each in found:
        subject = "This instance" if each.instance else "The whole service"
        end = f"until {cells.moment(each.until)}" if each.until else "until somebody ends it"
        why = cells.visible(each.reason) or "no reason was given"
        by = cells.visible(each.author)
        said.append(f"{subject} is in maintenance since {cells.moment(each.since)} {end}, by {by}: {why}")
    return said
