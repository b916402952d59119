"""The admin's first page: incidents, alerts that do not arrive, who is signed in and who was refused."""

from datetime import timedelta
from typing import Any

from django.contrib.sessions.models import Session
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from config import escaping
from config.admin import cells as admin_cells
from config.admin import overview as admin_overview
from config.admin.look import list_of
from config.admin.overview import Figure, Panel
from config.admin.pages import MOST_LISTED
from config.tokens.models import AuditEntry, AuditKind
from config.tokens.overview import refusals
from webui import public
from webui.alerts import NAMED_IN_TITLE, some_of
from webui.models import Channel, Incident, Message

SHOWN = 10


def overview(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    wrong: list[str] = []
    figures: list[Figure] = []
    panels: list[Panel] = []
    if request.user.has_perm("webui.view_incident"):
        _incidents(wrong, figures, panels)
    if request.user.has_perm("webui.view_message"):
        _alerts(wrong, figures, panels)
    if request.user.has_perm("auth.view_user"):
        live = Session.objects.filter(expire_date__gt=timezone.now())[:MOST_LISTED].count()
        shown = admin_overview.at_most(live, MOST_LISTED)
        figures.append(Figure(title="sessions", value=shown, url=reverse("admin-sessions")))
    if request.user.has_perm("tokens.view_auditentry"):
        _refusals(figures, panels)
    return context | admin_overview.context(wrong=wrong, figures=figures, panels=panels) if figures else context


def _incidents(wrong: list[str], figures: list[Figure], panels: list[Panel]) -> None:
    lasting = list(Incident.objects.filter(ended_at=None).exclude(confirmed_at=None)[: SHOWN + 1])
    wrong += [
        f"{some_of(each.services, most=NAMED_IN_TITLE)} {'are' if each.also else 'is'} {each.state} since "
        f"{admin_cells.moment(each.began_at)}."
        for each in lasting[:SHOWN]
    ]
    url = f"{list_of('webui_incident')}?is=open"
    count = admin_overview.at_most(len(lasting), SHOWN + 1)
    figures.append(Figure(title="incidents", value=count, url=url, state="critical" if lasting else ""))
    page = public.settings()
    shown = f"{len(page.services)} services" if page.is_enabled else "off"
    figures.append(Figure(title="public page", value=shown, url=list_of("webui_publicpage")))
    rows = [
        [
            admin_cells.link(reverse("admin:webui_incident_change", args=[each.pk]), some_of(each.services)),
            admin_cells.state(each.state),
            admin_cells.when(each.began_at),
            some_of(each.affected),
            escaping.visible(each.reason),
        ]
        for each in lasting[:SHOWN]
    ]
    panels.append(
        Panel(
            title="Incidents that last",
            headers=["Service", "State", "Since", "Affects", "Reason"],
            rows=rows,
            nothing="None.",
            url=url,
        )
    )


def _alerts(wrong: list[str], figures: list[Figure], panels: list[Panel]) -> None:
    failing = Message.objects.filter(sent_at=None, attempts__gt=0).select_related("channel")
    count = failing[:MOST_LISTED].count()
    url = list_of("webui_message")
    used = Channel.objects.filter(is_enabled=True).count()
    figures.append(Figure(title="alert channels in use", value=str(used), url=list_of("webui_channel")))
    if count:
        wrong.append(f"{count} alert{' was' if count == 1 else 's were'} not delivered.")
    figures.append(Figure(title="alerts not delivered", value=f"{count:,}", url=url, state="critical" if count else ""))
    rows = [
        [
            admin_cells.when(each.written_at),
            escaping.visible(each.channel.name),
            escaping.visible(each.title),
            str(each.attempts),
            escaping.visible(each.error),
        ]
        for each in failing[:SHOWN]
    ]
    panels.append(
        Panel(
            title="Alerts that were not delivered",
            headers=["Written", "Channel", "About", "Attempts", "Error"],
            rows=rows,
            nothing="None: every alert arrived.",
            url=url,
        )
    )


def _refusals(figures: list[Figure], panels: list[Panel]) -> None:
    figure = refusals("sign-ins refused in 24 hours")
    figures.append(figure)
    since = timezone.now() - timedelta(days=1)
    entries = AuditEntry.objects.filter(kind=AuditKind.REFUSED, at__gte=since)[:SHOWN]
    rows = [[admin_cells.when(each.at), each.who, each.what, each.address, str(each.times)] for each in entries]
    panels.append(
        Panel(
            title="Refused in the last 24 hours",
            headers=["Time", "Who", "Why", "From", "Times"],
            rows=rows,
            nothing="Nobody.",
            url=figure.url,
        )
    )
