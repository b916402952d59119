"""The status board, kept up to date row by row."""

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from html import escape
from typing import Any
from zoneinfo import ZoneInfo

from django.core.cache import cache
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe
from msgspec import structs

from webui import board, charts, last_good, outages, zones
from webui.board import Board, Choice, Group, Grouping, Row, State
from webui.figures import NOTHING, duration
from webui.requests import is_triggered_by, wants_part
from webui.roles import STAFF, Role, opens_to, roles_of
from webui.templatetags.times import age
from webui.upstream import registry
from webui.upstream.registry import Entry, Graph, Protection, Service, Services

RECENT_ENTRIES = 12
# For how long a browser's picture is remembered, so that it is sent only what changed since.
PICTURE_SECONDS = 120
# The pieces that stand around the rows.
AROUND = ("as-of", "summary", "events")
STATE_WORDS = {
    State.CRITICAL: _("critical"),
    State.MISSING: _("missing"),
    State.DEGRADED: _("degraded"),
    State.DRAINING: _("draining"),
    State.MAINTENANCE: _("maintenance"),
    State.WARNING: _("warning"),
    State.STARTING: _("starting"),
    State.PASSING: _("passing"),
}
GROUPING_WORDS = {Grouping.STATE: _("state"), Grouping.ZONE: _("zone"), Grouping.TAG: _("tag")}


@dataclass(frozen=True, kw_only=True)
class Look:
    """Everything that the board shows, as the registry said it at one time."""

    board: Board
    findings: tuple[str, ...]
    graph: Graph
    entries: tuple[Entry, ...]
    protection: Protection


@require_safe
@opens_to(*STAFF)
def show_status(request: HttpRequest) -> HttpResponse:
    looked = look()
    choice = _choice(request.GET)
    groups = board.arrange(looked.value.board.rows, choice) if looked.value else []
    parts = _parts(request, looked, groups)
    seen = _remember(parts, groups)
    context = {
        "look": looked.value,
        "choice": choice,
        "groups": groups,
        "parts": parts,
        "seen": seen,
        "states": [(state, STATE_WORDS[state]) for state in board.State],
        "groupings": GROUPING_WORDS.items(),
        "here": _here(request.GET),
        "more": choice.most + board.SHOWN_AT_ONCE,
    }
    if is_triggered_by(request, "status-poll"):
        return _answer_poll(request, context)
    return render(request, "webui/parts/board.html" if wants_part(request, "board") else "webui/status.html", context)


def look() -> last_good.Answer[Look]:
    """The registry's answer, or its last one and the reason why there is none now."""
    return last_good.ask("board", _ask)


def _ask() -> Look:
    found = registry.services()
    graph = _graph(found)
    return Look(
        board=board.judge(found.services, graph),
        findings=found.findings,
        graph=graph,
        entries=registry.newest_entries(limit=RECENT_ENTRIES),
        protection=registry.protection(),
    )


def _graph(found: Services) -> Graph:
    """The graph of causes, asked for again only when the revision or a state has changed: most looks find neither."""
    seen, now = (found.revision, found.judged), timezone.now()
    known = last_good.answers().get("graph", now=now)
    if known is not None and known.value is not None and known.value[0] == seen:
        same: Graph = known.value[1]
        return same
    graph = registry.graph()
    if graph.revision == found.revision:
        last_good.answers().put("graph", last_good.Answer(value=(seen, graph), at=now))
    return graph


def _choice(query: QueryDict) -> Choice:
    grouping, rows = query.get("group", ""), query.get("rows", "")
    return Choice(
        text=query.get("q", "").strip()[:100],
        states=tuple(word for word in query.getlist("state") if word),
        grouping=Grouping(grouping) if grouping in list(Grouping) else Grouping.STATE,
        opened=tuple(query.getlist("open")),
        most=int(rows) if re.fullmatch("[0-9]{1,5}", rows) else board.SHOWN_AT_ONCE,
    )


def _here(query: QueryDict) -> str:
    """The page's own address without what only a poll adds, to which a link appends what more to show."""
    kept_query = query.copy()
    kept_query.pop("seen", None)
    kept_query.pop("rows", None)
    return f"?{kept_query.urlencode()}&" if kept_query else "?"


def _parts(request: HttpRequest, looked: last_good.Answer[Look], groups: Iterable[Group]) -> dict[str, str]:
    """The pieces of the page by their ids, each swapped when it is no longer what the browser has."""
    outage = outages.describe(looked.outage, effect="") if looked.outage else None
    is_operator = Role.OPERATOR in roles_of(request.user)
    context = {"look": looked.value, "at": looked.at, "outage": outage, "is_operator": is_operator}
    parts: dict[str, str] = {name: render_to_string(f"webui/status/{name}.html", context) for name in AROUND}
    language, zone = get_language() or "en", zones.reader()
    hour = timezone.now().replace(minute=0, second=0, microsecond=0)
    words = escape(gettext("latency")), escape(gettext("last heartbeat"))
    for row in {row.name: row for group in groups for row in group.rows}.values():
        # The figures that every heartbeat changes stand in a piece of their own.
        lasting = structs.replace(row.service, last_heartbeat_at=None, latency_ms=None)
        parts[f"row-{row.name}"] = _row(row.state, row.causes, lasting, language, zone, hour)
        parts[f"beat-{row.name}"] = _beat(row.service, words)
    return parts


@lru_cache(maxsize=4096)
def _row(
    state: State, causes: tuple[str, ...], service: Service, language: str, zone: ZoneInfo | None, hour: datetime
) -> SafeString:
    """A row, made again for each language and zone, and every hour, because a time names its day once that is over."""
    context = {
        "row": Row(service=service, state=state, causes=causes),
        "word": STATE_WORDS[state],
        "bars": charts.daily_bars(service.days, today=hour.date()),
        "spark": charts.sparkline(service.latencies),
    }
    return render_to_string("webui/status/row.html", context)


def _beat(service: Service, words: tuple[str, str]) -> SafeString:
    """The service's latency when it was last heard, and the time since."""
    figures = zip(words, (escape(duration(service.latency_ms)), age(service.last_heartbeat_at) or NOTHING), strict=True)
    return SafeString(" ".join(f'<span><b class="visually-hidden">{word}</b> {each}</span>' for word, each in figures))


def _remember(parts: Mapping[str, str], groups: Iterable[Group]) -> str:
    """The name of this picture, by which a poll says which one its browser has."""
    digests = {name: _digest(html) for name, html in parts.items()}
    layout = [(group.name, group.folded, group.further, [row.name for row in group.rows]) for group in groups]
    seen = _digest(repr((sorted(digests.items()), layout)))
    cache.set(_picture(seen), (layout, digests), PICTURE_SECONDS)
    return seen


def _picture(seen: str) -> str:
    """The cache's key; whatever a browser may send makes a valid one."""
    return f"picture:{_digest(seen)}"


def _digest(text: str) -> str:
    return hashlib.blake2s(text.encode(), digest_size=8).hexdigest()


def _answer_poll(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    """Answer a poll with what changed alone; with the whole board when a service came, went or moved."""
    layout_before, before = cache.get(_picture(request.GET.get("seen", "")), (None, {}))
    layout, digests = cache.get(_picture(context["seen"]), (None, {}))
    parts = context["parts"]
    changed = {name: parts[name] for name, digest in digests.items() if before.get(name) != digest}
    if layout_before == layout:
        return render(request, "webui/parts/changed.html", {"changed": changed, "seen": context["seen"]})
    around = {name: html for name, html in changed.items() if name in AROUND}
    return render(request, "webui/parts/board.html", context | {"is_swap": True, "around": around})
