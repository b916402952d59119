"""The admin's first page: root causes and the services they affect, delays of probes and webhooks, newest events."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from registry.admin import cells, charts, figures, panels
from registry.admin.charts import Bar
from registry.admin.figures import Delivering, Probing
from registry.health import watchdog
from registry.instances import standing
from registry.instances.dependencies import Findings, State
from registry.instances.standing import Standing
from registry.models import JournalEntry
from registry.wire.bodies import age
from registry.wire.limits import SHOWN_STATUSES

EVENTS = 15
# Named in a sentence or a list; the page of services has all.
MOST_NAMED = 12


_ORDER = tuple(State)
_WORDS = {State.MAINTENANCE: "in maintenance"}


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    if not request.user.has_perm("registry.view_instance"):
        return context
    now = timezone.now()
    standings, findings = standing.standings()
    probing, delivering = figures.probing(now=now), figures.delivering(now=now)
    counts: Counter[str] = Counter()
    for each in standings:
        counts.update(each.summary.counts)
    may_see_events = request.user.has_perm("registry.view_journalentry")
    return {
        **context,
        **panels.protection(request, now=now),
        "overview": "registry/admin/index.html",
        "findings": watchdog.findings(now=now),
        "causes": causes(standings, findings, now=now),
        "states": [(name, counts[name], cells.instances_url(state=name)) for name in SHOWN_STATUSES],
        "services": len(standings),
        "without": [
            (each.summary.service, str(each.state), cells.visible(each.reason))
            for each in standings
            if not each.state.is_offered
        ],
        "unmet": [(name, [cells.service_link(each) for each in needs]) for name, needs in findings.unmet.items()],
        "most": MOST_NAMED,
        "probing": probing,
        "probe_chart": _probe_chart(probing),
        "delivering": delivering,
        "lag": cells.seconds(delivering.lag_seconds),
        "lateness": cells.seconds(probing.late_seconds),
        "delivery_chart": _delivery_chart(delivering),
        "events": events(JournalEntry.objects.all()[:EVENTS], now=now) if may_see_events else [],
    }


def causes(standings: Sequence[Standing], findings: Findings, *, now: datetime) -> list[tuple[str, SafeString]]:
    """One sentence for each root cause, with its state: since when, why, and which services are affected by it.

    The gravest come first, of these the ones that affect most; beyond MOST_NAMED they are counted.
    """
    known = {each.summary.service: each for each in standings}
    said = []
    roots = sorted(
        findings.roots,
        key=lambda root: (_ORDER.index(known[root[0]].state), -len(findings.affected[root[0]])),
    )
    for root in roots[:MOST_NAMED]:
        first = known[root[0]]
        affected = sorted({name for service in root for name in findings.affected[service]} - set(root))
        for_how_long = f" for {age(first.since, now=now)}" if first.since else ""
        why = f" ({cells.visible(first.reason).rstrip('.')})" if first.reason else ""
        sentence = format_html(
            "{} {} {}{}{}: {}.",
            _links(root),
            "is" if len(root) == 1 else "are",
            _WORDS.get(first.state, first.state),
            for_how_long,
            why,
            format_html("affects {}", _links(affected)) if affected else "no service requires it",
        )
        said.append((str(first.state), sentence))
    if len(roots) > MOST_NAMED:
        words = '<a href="{}?state=down">{} more</a> are down by themselves.'
        said.append(("critical", format_html(words, cells.services_url(), len(roots) - MOST_NAMED)))
    said += [("cycle", format_html("{} require each other.", _links(circle))) for circle in findings.cycles]
    return said


def events(entries: Iterable[JournalEntry], *, now: datetime) -> list[dict[str, Any]]:
    """Journal entries, newest first, for the event feed (registry/admin/events.html)."""
    return [
        {
            "entry": each,
            "ago": age(each.at, now=now),
            "at": cells.moment(each.at),
            "url": cells.service_url(each.service),
            "reason": cells.visible(each.reason),
            "author": cells.visible(each.author),
        }
        for each in entries
    ]


def _links(services: Sequence[str]) -> SafeString:
    links = format_html_join(", ", "{}", ((cells.service_link(each),) for each in services[:MOST_NAMED]))
    more = len(services) - MOST_NAMED
    return format_html("{} and {} more", links, more) if more > 0 else links


def _probe_chart(probing: Probing) -> SafeString | None:
    if probing.delays is None:
        return None
    total = probing.delays.count
    named = zip(probing.delays.counts, figures.delay_bounds(), strict=True)
    found = [Bar(value=count, title=f"{count:,} of {total:,} began {bound} late") for count, bound in named]
    slow = probing.delays.quantile(0.99)
    words = f"99 of 100 probes began at most {cells.seconds(slow)} late"
    return charts.bars(found, label=f"How late probes began, from 5 ms on the left to over 30 s: {words}")


def _delivery_chart(delivering: Delivering) -> SafeString:
    found = [
        Bar(value=lag, title=f"{ago} min ago: " + ("no webhook" if lag is None else f"at most {cells.seconds(lag)}"))
        for ago, lag in zip(reversed(range(figures.MINUTES)), delivering.lags, strict=True)
    ]
    known = [lag for lag in delivering.lags if lag is not None]
    words = f"at most {cells.seconds(max(known))}" if known else "no webhook was accepted"
    return charts.bars(found, label=f"Time from a change to its accepted webhook in the last hour, by minute: {words}")
