"""A service's page, its panels, each of which loads by itself, and the dependency graph."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe
from django_stubs_ext import StrOrPromise

from webui import charts, graphs, last_good, outages
from webui.last_good import Answer
from webui.requests import is_htmx
from webui.roles import STAFF, Role, opens_to, roles_of
from webui.upstream import logs, registry
from webui.upstream.registry import Beat, Instance
from webui.views.refusals import answers_refusals
from webui.views.status import STATE_WORDS, Look, look

EVENTS, DELIVERIES, LOG_LINES = 30, 30, 15
DRAWING_SECONDS = 3600


@dataclass(frozen=True, kw_only=True)
class Panel:
    title: StrOrPromise
    # The question, given the service's name.
    question: Callable[[str], Any]
    # The roles that may see it besides operators.
    staff: bool = True


def _instances(service: str) -> list[tuple[Instance, Beat | None]]:
    beats = registry.beats(service)
    return [(each, beats.get(each.instance)) for each in registry.instances(service)]


PANELS = {
    "instances": Panel(title=gettext_lazy("Instances"), question=_instances),
    "uptime": Panel(
        title=gettext_lazy("Ninety days"), question=lambda name: registry.history(name, days=charts.BAR_DAYS, by="day")
    ),
    "deliveries": Panel(
        title=gettext_lazy("Notifications"),
        question=lambda name: registry.deliveries(name, limit=DELIVERIES),
        staff=False,
    ),
    "events": Panel(
        title=gettext_lazy("Events"), question=lambda name: registry.newest_entries(service=name, limit=EVENTS)
    ),
    "logs": Panel(
        title=gettext_lazy("Last log lines"), question=lambda name: logs.last(name, limit=LOG_LINES), staff=False
    ),
}


@require_safe
@opens_to(*STAFF)
def show_service(request: HttpRequest, service: str) -> HttpResponse:
    looked = look()
    board = looked.value.board if looked.value else None
    row = board.row(service) if board else None
    if board and row is None:
        raise Http404(_("No service of this name is registered or required."))
    is_operator = Role.OPERATOR in roles_of(request.user)
    context = {
        "name": service,
        "row": row,
        "word": STATE_WORDS[row.state] if row else "",
        "causes": [
            cause
            for cause in (board.causes if board else ())
            if service in (*(row.name for row in cause.services), *cause.also_down, *cause.degraded)
        ],
        "at": looked.at,
        "outage": outages.describe(looked.outage, effect=_("The service's state is the last known one"))
        if looked.outage
        else None,
        "panels": [(key, panel.title) for key, panel in PANELS.items() if panel.staff or is_operator],
        "admin_url": f"{settings.PUBLIC_URLS['registry']}/admin/registry/instance/services/{service}/"
        if is_operator
        else "",
        "is_operator": is_operator,
    }
    return render(request, "webui/service.html", context)


@require_safe
@opens_to(*STAFF)
@answers_refusals
def show_panel(request: HttpRequest, service: str, panel: str) -> HttpResponse:
    """A panel of a service's page; a page of its own where scripts do not run."""
    found = PANELS.get(panel)
    is_operator = Role.OPERATOR in roles_of(request.user)
    if found is None or not (found.staff or is_operator):
        raise Http404
    answer: Answer[Any] = last_good.ask(f"panel:{panel}:{service}", lambda: found.question(service))
    context = {
        "panel": panel,
        "title": found.title,
        "name": service,
        "answer": answer,
        "outage": outages.describe(answer.outage, effect=_("This cannot be shown")) if answer.outage else None,
        "is_operator": is_operator,
        "chart": charts.uptime(answer.value, today=timezone.now().date()) if panel == "uptime" and answer.value else "",
    }
    return render(request, "webui/service/panel.html" if is_htmx(request) else "webui/service/panel_page.html", context)


@require_safe
@opens_to(*STAFF)
def show_graph(request: HttpRequest) -> HttpResponse:
    looked = look()
    context = {
        "drawn": _draw(looked.value) if looked.value and looked.value.board.rows else "",
        "is_known": looked.value is not None,
        "at": looked.at,
        "outage": outages.describe(looked.outage, effect=_("This is the last known graph")) if looked.outage else None,
    }
    return render(request, "webui/graph.html", context)


def _draw(looked: Look) -> SafeString:
    """Draw the graph, again when a service comes, goes or changes its state: of 500 it takes half a second."""
    states = [(row.name, row.state) for row in looked.board.rows]
    key = hashlib.blake2s(repr((looked.graph, states, get_language())).encode(), digest_size=16).hexdigest()
    drawn = cache.get(f"graph:{key}")
    if drawn is None:
        drawing = graphs.draw(looked.graph, looked.board)
        drawn = render_to_string("webui/graph.html", {"drawing": drawing}, using="jinja2")
        cache.set(f"graph:{key}", drawn, DRAWING_SECONDS)
    return SafeString(drawn)
