"""What the admin's pages show of an instance or a service beside its columns."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from django.contrib.auth.models import AnonymousUser, User
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString

from registry.admin import cells
from registry.admin.operations import OPERATIONS, PERMISSION
from registry.health import protection as guard
from registry.health import uptime
from registry.health.probe_counts import DAY, HOUR, Counts
from registry.health.uptime import Report
from registry.instances import catalogue, standing
from registry.instances.catalogue import Summary
from registry.journal import log
from registry.models import Cursor, Delivery, Heartbeat, Instance, InstanceKey, JournalEntry, Maintenance
from registry.wire.bodies import age

DAYS = 90
CHANGES = 10
# An uptime from here on is good, or at least fair.
GOOD, FAIR = 0.999, 0.98


def protection(request: HttpRequest, *, now: datetime) -> dict[str, Any]:
    """For the banner (registry/admin/protection.html)."""
    return {
        "protection": guard.situation(now=now),
        "end_protection_url": cells.operation_url("end-protection") if _may_operate(request.user) else "",
    }


def troubles(summaries: Iterable[Summary]) -> list[str]:
    """What explains what is down, and who suffers from it; circles of requirements."""
    findings = standing.findings(summaries)
    said = []
    for root in findings.roots:
        affected = sorted({name for service in root for name in findings.affected[service]} - set(root))
        suffers = f"affects {', '.join(affected)}" if affected else "nobody requires it"
        said.append(f"{', '.join(root)} offers no instance: {suffers}.")
    return said + [f"{', '.join(circle)} require each other." for circle in findings.cycles]


def of_instance(request: HttpRequest, instance: Instance, *, now: datetime) -> dict[str, Any]:
    target = InstanceKey(service=instance.service, instance=instance.name)
    entries = JournalEntry.objects.filter(service=instance.service, instance=instance.name)
    days = uptime.of_instance(instance.service, instance.name, days=DAYS, span_hours=DAY, now=now)
    latest = uptime.of_instance(instance.service, instance.name, days=1, span_hours=HOUR, now=now)
    summary = catalogue.summary(instance.service)
    return {
        "instance": instance,
        "facts": _facts(instance, now=now),
        "heartbeat": _heartbeat(instance),
        "uptime": _uptime(days, now=now),
        "latest": _totals(latest.total),
        "requires": _services(instance.requires),
        "required_by": _services(summary.required_by),
        "changes": _changes(entries),
        "deliveries": _deliveries(instance) if instance.notify_url else None,
        "maintenance": _maintenance(instance.service, instance.name),
        "operations": _operations(request, target, is_dependent=instance.notify_url is not None),
    }


def of_service(request: HttpRequest, summary: Summary, instances: list[Instance], *, now: datetime) -> dict[str, Any]:
    service = summary.service
    return {
        "summary": summary,
        "statuses": cells.statuses(summary.counts),
        "instances": {"headers": ["Instance", "Status", "For", "Address", "Why"], "rows": list(map(_row, instances))},
        "uptime": _uptime(uptime.of_service(service, days=DAYS, span_hours=DAY, now=now), now=now),
        "requires": _services(summary.requires),
        "required_by": _services(summary.required_by),
        "changes": _changes(JournalEntry.objects.filter(service=service)),
        "maintenance": _maintenance(service, ""),
        "operations": _operations(request, InstanceKey(service=service, instance=""), is_dependent=False),
    }


def _may_operate(user: User | AnonymousUser) -> bool:
    return user.has_perm(PERMISSION)


def _operations(request: HttpRequest, target: InstanceKey, *, is_dependent: bool) -> list[dict[str, Any]]:
    """The buttons that lead to what can be done."""
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
        ("Why", instance.shown_reason or "no reason was given"),
        ("Address", instance.url),
        ("Service", cells.service_link(instance.service)),
    ]
    if instance.draining_until is not None:
        facts.append(("Drains until", cells.moment(instance.draining_until)))
    return facts


def _heartbeat(instance: Instance) -> list[tuple[str, Any]]:
    """In the order in which somebody would ask who wonders why it is judged so."""
    heartbeat: Heartbeat = instance.heartbeat
    latency = "" if heartbeat.latency_ms is None else f" ({heartbeat.latency_ms:.1f} ms)"
    in_a_row = (
        f"{heartbeat.failures} failures in a row, of {instance.failures_before_critical} for critical"
        if heartbeat.failures
        else f"{heartbeat.successes} successes in a row, of {instance.successes_before_passing} for passing"
    )
    return [
        ("Verdict", cells.label(heartbeat.verdict, cells.VARIANTS[heartbeat.verdict])),
        ("Found", f"{heartbeat.detail}{latency}" if heartbeat.detail else "not probed yet"),
        ("Last", cells.moment(_moment(heartbeat.last_at))),
        ("Last success", cells.moment(_moment(heartbeat.passed_at))),
        ("Next", cells.moment(_moment(heartbeat.due_at))),
        ("Streak", in_a_row),
        ("Flapping", "held critical until it has been steady" if heartbeat.is_damped else "no"),
        ("Kind", f"{instance.get_heartbeat_kind_display()} every {instance.interval_seconds:g} s"),
    ]


def _moment(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def _uptime(report: Report, *, now: datetime) -> dict[str, Any]:
    """A bar for each day, and what they come to."""
    counts = {start.date(): each for start, each in report.periods}
    days = [now.date() - timedelta(days=ago) for ago in reversed(range(DAYS))]
    bars = [{"tooltip": f"{day}: {_said(counts.get(day))}", "color": _color(counts.get(day))} for day in days]
    return {"days": DAYS, "bars": bars, **_totals(report.total)}


def _totals(counts: Counts) -> dict[str, Any]:
    return {"percent": percent(counts.uptime), "said": _said(counts)}


def percent(share: float | None) -> str:
    """Rounded down, so that only what never failed is at 100 %."""
    return "-" if share is None else f"{int(share * 100_000) / 1000:.6g} %"


def _said(counts: Counts | None) -> str:
    if counts is None or not counts.probes:
        return "not probed"
    said = f"{percent(counts.uptime)} of {counts.probes:,} probes, {counts.failures:,} failed"
    mean = counts.latency_mean_ms
    return said if mean is None else f"{said}, {mean:.1f} ms on average, {counts.latency_max_ms:.0f} ms at most"


def _color(counts: Counts | None) -> str:
    share = counts.uptime if counts else None
    if share is None:
        return "bg-base-300 dark:bg-base-400"
    return "bg-green-500" if share >= GOOD else "bg-orange-500" if share >= FAIR else "bg-red-500"


def _services(names: Iterable[str]) -> list[SafeString]:
    wanted = sorted(names)
    offered = catalogue.offered(wanted)
    return [cells.service_link(name, is_down=not offered[name]) for name in wanted]


def _row(instance: Instance) -> list[str]:
    since = age(instance.shown_since, now=timezone.now())
    return [cells.instance_link(instance), cells.status(instance), since, instance.url, instance.shown_reason]


def _changes(entries: QuerySet[JournalEntry]) -> dict[str, Any]:
    rows = [
        [str(each.revision), cells.when(each.at), each.instance, each.get_change_display(), each.author, each.reason]
        for each in entries[:CHANGES]
    ]
    return {"headers": ["Revision", "When", "Instance", "What", "By", "Why"], "rows": rows}


def _deliveries(instance: Instance) -> dict[str, Any]:
    cursor = Cursor.objects.filter(instance=instance).first()
    told = Delivery.objects.filter(service=instance.service, instance=instance.name)[:CHANGES]
    rows = [
        [
            cells.when(each.at),
            f"{each.from_revision} to {each.to_revision}",
            cells.label("failed", "danger") if each.error else cells.label("delivered", "success"),
            f"{each.duration_ms:.0f} ms",
            each.error,
        ]
        for each in told
    ]
    return {
        "cursor": _cursor(cursor) if cursor else "",
        "table": {"headers": ["When", "Revisions", "Outcome", "Took", "Error"], "rows": rows},
    }


def _cursor(cursor: Cursor) -> str:
    if cursor.is_stopped:
        return "It answered 410: it is told nothing more until it registers again."
    at = max(cursor.notified_revision, cursor.scanned_revision)
    behind = log.head() - at
    said = f"Told up to revision {at}" + (f", {behind} behind the journal." if behind else ": all there is.")
    failed = f" {cursor.attempts} attempts in a row have failed." if cursor.attempts else ""
    return f"{said}{failed}" + (" It is to ask for the whole." if cursor.needs_resync else "")


def _maintenance(service: str, instance: str) -> list[str]:
    """Those that hold over it, in words."""
    found = Maintenance.objects.filter(service=service, instance__in={"", instance})
    return [
        f"{'This instance' if each.instance else 'The whole service'} is in maintenance since "
        f"{cells.moment(each.since)} {f'until {cells.moment(each.until)}' if each.until else 'until it is ended'}, "
        f"by {each.author}: {each.reason or 'no reason was given'}"
        for each in found
    ]
