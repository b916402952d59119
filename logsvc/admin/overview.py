"""The admin's first page: alerts that fire or do not arrive, room on the disk, the newest errors."""

from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import urlencode

from config import escaping
from config.admin import cells as admin_cells
from config.admin import overview as admin_overview
from config.admin.look import list_of
from config.admin.overview import Figure, Panel
from config.problems import Unavailable
from config.tokens.overview import refusals
from logsvc.admin import cells
from logsvc.models import AlertMessage, AlertRule, AlertState
from logsvc.query import parser
from logsvc.storage.current import store
from logsvc.storage.interface import Page, Search

ERRORS = "level>=error"
SHOWN = 10
# Sent messages are forgotten after a while, so that there are never many.
MOST_COUNTED = 1000


def overview(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    wrong: list[str] = []
    figures: list[Figure] = []
    panels: list[Panel] = []
    if request.user.has_perm("logsvc.view_records"):
        _records(wrong, figures, panels)
    if request.user.has_perm("logsvc.view_alertrule"):
        _alerts(wrong, figures, panels)
    if request.user.has_perm("tokens.view_auditentry"):
        figures.append(refusals())
    return context | admin_overview.context(wrong=wrong, figures=figures, panels=panels) if figures else context


def _records(wrong: list[str], figures: list[Figure], panels: list[Panel]) -> None:
    page = Page(records=[], next=None)
    try:
        usage, size = store().usage(), store().size()
        page = store().search(Search(query=parser.parse(ERRORS), limit=SHOWN))
    except Unavailable as problem:
        wrong.append(f"The store of records does not answer: {problem.detail}")
    else:
        url = reverse("admin:logsvc_usage")
        figures += [
            Figure(title="records", value=f"{sum(each.records for each in usage):,}", url=url),
            Figure(title="services that log", value=str(len({each.service for each in usage})), url=url),
            Figure(title="on disk", value=cells.size(size.total_bytes), url=url),
        ]
    rows = [
        [cells.when(each.time_ns), cells.level(each.severity), escaping.visible(each.service), cells.record_link(each)]
        for each in page.records
    ]
    panels.append(
        Panel(
            title="Newest errors",
            headers=["Time", "Level", "Service", "Message"],
            rows=rows,
            nothing="No error is stored.",
            url=f"{reverse('admin:logsvc_records')}?{urlencode({'q': ERRORS})}",
        )
    )


def _alerts(wrong: list[str], figures: list[Figure], panels: list[Panel]) -> None:
    firing = AlertRule.objects.filter(is_enabled=True, state=AlertState.FIRING).order_by("since")
    troubled = AlertRule.objects.filter(is_enabled=True).exclude(trouble="")
    undelivered = AlertMessage.objects.filter(delivered_at=None, attempts__gt=0)
    wrong += [f"The alert rule {escaping.visible(rule.name)} cannot be judged: {rule.trouble}" for rule in troubled]
    if count := undelivered[:MOST_COUNTED].count():
        wrong.append(f"{count} alert message{'' if count == 1 else 's'} could not be delivered.")
    rules, sent = list_of("logsvc_alertrule"), list_of("logsvc_alertmessage")
    figures += [
        Figure(
            title="alerts firing",
            value=str(len(firing)),
            url=f"{rules}?state__exact={AlertState.FIRING}",
            state="critical" if firing else "",
        ),
        Figure(
            title="alerts not delivered",
            value=str(count),
            url=sent,
            state="critical" if count else "",
        ),
    ]
    link = admin_cells.link
    panels += [
        Panel(
            title="Alerts that fire",
            headers=["Rule", "Since", "Query", "Counted"],
            rows=[
                [
                    link(reverse("admin:logsvc_alertrule_change", args=[rule.pk]), rule.name),
                    admin_cells.when(rule.since),
                    escaping.visible(rule.query),
                    str(rule.count),
                ]
                for rule in firing[:SHOWN]
            ],
            nothing="None.",
            url=f"{rules}?state__exact={AlertState.FIRING}",
        ),
        Panel(
            title="Alerts that were not delivered",
            headers=["Written", "Rule", "Attempts", "Error"],
            rows=[
                [
                    admin_cells.when(each.created_at),
                    escaping.visible(each.rule.name),
                    str(each.attempts),
                    escaping.visible(each.error),
                ]
                for each in undelivered.select_related("rule")[:SHOWN]
            ],
            nothing="None: every alert arrived.",
            url=sent,
        ),
    ]
