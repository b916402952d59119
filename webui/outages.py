"""The words for a page that cannot show something because another service does not answer."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django_htmx.http import reselect, reswap, retarget

from webui import last_good
from webui.requests import is_htmx, is_triggered_by
from webui.upstream import exchange, registry
from webui.upstream.exchange import UpstreamDown

_TITLES = {"grading": _("The grading service"), "logsvc": _("The log service"), "registry": _("The registry")}
# The notice that asks whether the outage is over, and the working that follows each grade.
_ASKING_BY_THEMSELVES = ("outage", "working")
View = Callable[..., HttpResponse]


@dataclass(frozen=True, kw_only=True)
class Outage:
    title: str
    service: str
    since: datetime
    reason: str
    # A sentence without its full stop, such as "Your courses cannot be shown".
    effect: str


def describe(error: UpstreamDown, *, effect: str | Promise) -> Outage:
    return Outage(
        title=str(_TITLES.get(error.service, error.service)),
        service=error.service,
        since=_since(error),
        reason=error.reason,
        effect=str(effect),
    )


def explained(effect: str | Promise) -> Callable[[View], View]:
    """Have the page answer where its upstream is down, and say what it cannot show and since when."""

    def decorate(view: View) -> View:
        @wraps(view)
        def answering(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            try:
                return view(request, *args, **kwargs)
            except UpstreamDown as error:
                return _answer(request, describe(error, effect=effect))

        return answering

    return decorate


def _answer(request: HttpRequest, outage: Outage) -> HttpResponse:
    if is_triggered_by(request, *_ASKING_BY_THEMSELVES):
        # Nothing waits for it: the page stays as it is.
        return HttpResponse(status=204)
    response = render(request, "webui/outage.html", {"outage": outage, "retry_url": request.get_full_path()})
    return reswap(retarget(reselect(response, "#main"), "#main"), "outerHTML") if is_htmx(request) else response


def _since(error: UpstreamDown) -> datetime:
    """The registry may have known before anybody asked here."""
    if error.service == exchange.REGISTRY:
        return error.since
    found = last_good.ask("services", registry.services).value
    services = found.services if found else ()
    down = (each for each in services if each.service == error.service and not each.passing and not each.warning)
    known = next((each.status_since for each in down), None)
    return min(known, error.since) if known else error.since
