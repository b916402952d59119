"""The newest log records of all services."""

from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from webui.outages import explained
from webui.requests import wants_part
from webui.roles import Role, opens_to
from webui.upstream import logs
from webui.views.refusals import answers_refusals

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


@require_safe
@opens_to(Role.OPERATOR)
@explained("The log records cannot be shown")
@answers_refusals
def show_logs(request: HttpRequest) -> HttpResponse:
    filters = {name: request.GET.get(name, "").strip() for name in ("service", "level", "q")}
    page = logs.newest(
        service=filters["service"], level=filters["level"], text=filters["q"], before=request.GET.get("before", "")
    )
    context = {
        "page": page,
        "filters": filters,
        "levels": LEVELS,
        "services": _services(chosen=filters["service"]),
        "older_url": _older_url(filters, page),
    }
    return render(request, f"webui/logs.html{_part(request)}", context)


def _part(request: HttpRequest) -> str:
    if wants_part(request, "older"):
        return "#rows"
    return "#records" if wants_part(request, "records") else ""


def _older_url(filters: dict[str, str], page: logs.Page) -> str:
    if page.next is None:
        return ""
    given = {name: value for name, value in filters.items() if value} | {"before": str(page.next)}
    return f"{reverse('logs')}?{urlencode(given)}"


def _services(*, chosen: str) -> list[str]:
    """What can be chosen; what is chosen stays so, also where it has no records."""
    return sorted({*logs.services(), chosen} - {""})
