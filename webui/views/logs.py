"""The log: searched, counted, followed as it grows, and single records with what stood around them."""

from typing import Any

import msgspec
from django.contrib import messages
from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from webui import charts, last_good, outages, searches
from webui.models import SavedSearch
from webui.outages import explained
from webui.requests import is_htmx, wants_part
from webui.roles import Role, opens_to
from webui.searches import RANGES, Search
from webui.upstream import logs, registry
from webui.upstream.exchange import Refused, UpstreamDown
from webui.views.refusals import answers_refusals

# The most records that are inserted at once, and that the page holds.
TAIL_AT_MOST = 1000
# More new lines than this are not counted: "100+ new".
COUNTED_AT_MOST = 100
BUCKETS = 60
AROUND = 20


@require_safe
@opens_to(Role.OPERATOR)
def show_logs(request: HttpRequest) -> HttpResponse:
    """The page itself always answers: what the log service cannot say is said in the place of the records."""
    search, cursor = search_of(request.GET), request.GET.get("cursor", "")
    context = _found(search, cursor) | {
        "search": search,
        "ranges": _ranges(search),
        "saved": SavedSearch.objects.filter(user__username=request.user.get_username()),
        "retry_url": request.get_full_path(),
    }
    if wants_part(request, "older"):
        return render(request, "webui/logs/rows.html", context)
    if is_htmx(request) and wants_part(request, "found"):
        return render(request, "webui/logs/found.html", context)
    return render(request, "webui/logs.html", context, status=422 if context["refusal"] else 200)


@require_safe
@opens_to(Role.OPERATOR)
def show_panel(request: HttpRequest, panel: str) -> HttpResponse:
    """The histogram or the facets."""
    if panel not in ("histogram", "facets"):
        raise Http404
    search = search_of(request.GET)
    try:
        answer: last_good.Answer[Any] = (
            last_good.ask(f"facets:{search}", lambda: logs.facets(search.query, search.span))
            if panel == "facets"
            else last_good.ask(
                f"histogram:{search}", lambda: logs.histogram(search.query, search.span, buckets=BUCKETS)
            )
        )
    except Refused:
        # The query is wrong, which the records' place says.
        return HttpResponse("")
    context = {
        "answer": answer,
        "search": search,
        "chart": charts.histogram(answer.value, search) if isinstance(answer.value, logs.Histogram) else "",
        "outage": outages.describe(answer.outage, effect="") if answer.outage else None,
    }
    return render(request, f"webui/logs/{panel}.html", context)


@require_safe
@opens_to(Role.OPERATOR)
def complete(request: HttpRequest) -> HttpResponse:
    """The completions that the query box offers for what is typed in it."""
    query = request.GET.get("q", "")[:2000]
    known: dict[str, list[str]] = {}
    if ":" in query:
        span = searches.Search(range="7d").span
        found = last_good.ask("log-values", lambda: logs.facets("", span)).value
        known = {field: [each.value for each in values] for field, values in found.facets.items()} if found else {}
        # Levels have an order, and are completed in it.
        known.pop("level", None)
    return render(request, "webui/logs/completions.html", {"options": searches.completions(query, known=known)})


@require_safe
@opens_to(Role.OPERATOR)
def tail(request: HttpRequest) -> HttpResponse:
    """The number of records that arrived after the cursor; they stay with the log service until somebody wants to see
    them.
    """
    search, cursor = search_of(request.GET), request.GET.get("cursor", "")
    context: dict[str, Any] = {"search": search, "cursor": cursor}
    try:
        found = logs.arrivals(search.query, cursor=cursor, limit=COUNTED_AT_MOST + 1)
    except UpstreamDown as error:
        context["outage"] = outages.describe(error, effect="")
    except Refused:
        return HttpResponse("")
    else:
        if not found.records and found.gapless:
            context["cursor"] = found.cursor
        context |= {"new": len(found.records), "counted": COUNTED_AT_MOST, "is_gap": not found.gapless}
    return render(request, "webui/logs/tail.html", context)


@require_safe
@opens_to(Role.OPERATOR)
@answers_refusals
def show_arrivals(request: HttpRequest) -> HttpResponse:
    """The records after the cursor, newest first, and the tail that goes on after them."""
    search, cursor = search_of(request.GET), request.GET.get("cursor", "")
    context: dict[str, Any] = {"search": search, "cursor": cursor, "new": 0}
    try:
        found = logs.arrivals(search.query, cursor=cursor, limit=TAIL_AT_MOST)
        if len(found.records) == TAIL_AT_MOST:
            # Too many to read: continue with the newest, and say that others were left out.
            head = logs.arrivals(search.query, limit=1).cursor
            page = logs.search(search.query, search.span)
            context |= {"records": page.records, "cursor": head, "skips": True, "is_gap": not found.gapless}
        else:
            newest_first = sorted(found.records, key=lambda record: int(record.id), reverse=True)
            context |= {"records": newest_first, "cursor": found.cursor, "is_gap": not found.gapless}
    except UpstreamDown as error:
        context["outage"] = outages.describe(error, effect="")
    context["words"] = searches.words(search.query)
    return render(request, "webui/logs/arrivals.html", context)


@require_safe
@opens_to(Role.OPERATOR)
@explained(gettext_lazy("This record cannot be shown"))
@answers_refusals
def show_record(request: HttpRequest, identifier: int) -> HttpResponse:
    """A page with what the same instance wrote around it; the attributes alone for a row that is opened."""
    is_row = is_htmx(request)
    around = None if is_row else logs.context(str(identifier), around=AROUND)
    record = logs.record(str(identifier)) if around is None else around.record
    context: dict[str, Any] = {
        "record": record,
        "around": around,
        "search": search_of(request.GET),
        "json": msgspec.json.format(msgspec.json.encode(record)).decode(),
        "words": [],
        "is_registered": _is_registered(record),
    }
    return render(request, "webui/logs/details.html" if is_row else "webui/logs/record.html", context)


@require_POST
@opens_to(Role.OPERATOR)
def save_search(request: HttpRequest) -> HttpResponse:
    address, name = search_of(request.POST).address(), request.POST.get("name", "").strip()[:60]
    if name:
        try:
            searches.save(_user(request), name=name, address=address)
        except ValueError:
            messages.error(request, _("There are too many saved searches: delete one first."))
        else:
            messages.success(request, _("The search is saved as “%(name)s”.") % {"name": name})
    return redirect(f"{reverse('logs')}?{address}")


@require_POST
@opens_to(Role.OPERATOR)
def delete_search(request: HttpRequest, number: int) -> HttpResponse:
    get_object_or_404(SavedSearch, pk=number, user=_user(request)).delete()
    return redirect("logs")


def search_of(query: QueryDict) -> Search:
    """Read the search; old addresses, with `service` and `level`, still mean what they meant."""
    chosen = query.get("range", "")
    parts = [query.get("q", "").strip()[:2000]]
    service, level = query.get("service", ""), query.get("level", "")
    if service:
        parts.append(f"service:{searches.quoted(service[:200])}")
    if level:
        parts.append(f"level>={searches.quoted(level[:20].lower())}")
    return Search(
        query=" ".join(part for part in parts if part),
        range=chosen if chosen in RANGES or chosen == "all" else searches.DEFAULT_RANGE,
        start=query.get("from", "").strip()[:40],
        end=query.get("to", "").strip()[:40],
    )


def _found(search: Search, cursor: str) -> dict[str, Any]:
    """The records, or why there are none."""
    context: dict[str, Any] = {"words": searches.words(search.query), "refusal": "", "cursor": ""}
    try:
        if search.is_open_ended and not cursor:
            # Before the records are read, so that what arrives in between is shown twice rather than never.
            context["cursor"] = logs.arrivals(search.query, limit=1).cursor
        page = logs.search(search.query, search.span, cursor=cursor)
    except UpstreamDown as error:
        return context | {"outage": outages.describe(error, effect=_("The log records cannot be shown"))}
    except Refused as refusal:
        return context | {"refusal": refusal.detail}
    older_url = f"{reverse('logs')}?{search.address(cursor=page.next)}" if page.next else ""
    return context | {"page": page, "records": page.records, "older_url": older_url}


def _ranges(search: Search) -> list[tuple[str, str, bool]]:
    titles = {
        "15m": _("last 15 minutes"),
        "1h": _("last hour"),
        "24h": _("last 24 hours"),
        "7d": _("last 7 days"),
        "all": _("all times"),
    }
    is_chosen = not search.start and not search.end
    return [(name, title, is_chosen and name == search.range) for name, title in titles.items()]


def _is_registered(record: logs.Record) -> bool:
    """Whether the registry knows the instance that wrote it, so that there is a page of its health."""
    try:
        known = last_good.ask(f"instances:{record.service}", lambda: registry.instances(record.service)).value or ()
    except Refused:
        return False
    return any(each.instance == record.instance for each in known)


def _user(request: HttpRequest) -> User:
    assert isinstance(request.user, User), "opens_to has let it pass"
    return request.user
