"""The operators' orders to the registry about an instance."""

from collections.abc import Callable
from datetime import timedelta

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from webui import graphs
from webui.outages import explained
from webui.roles import Role, opens_to
from webui.upstream import registry
from webui.upstream.exchange import Refused
from webui.views.refusals import answers_refusals

A_YEAR_MINUTES = 366 * 24 * 60
Operation = Callable[[HttpRequest, str, str], str]


@require_safe
@opens_to(Role.OPERATOR)
@explained(gettext_lazy("This instance cannot be shown"))
@answers_refusals
def show_instance(request: HttpRequest, service: str, instance: str) -> HttpResponse:
    found = registry.instance(service, instance)
    graph = registry.graph()
    others = [
        each
        for each in registry.instances(service)
        if each.instance != instance and each.status in ("passing", "warning")
    ]
    context = {
        "instance": found,
        "beat": registry.beats(service).get(instance),
        "others": others,
        "affected": graphs.dependents(graph, service),
        "revision": graph.revision,
    }
    return render(request, "webui/instance.html", context)


@require_POST
@opens_to(Role.OPERATOR)
@explained(gettext_lazy("Nothing was done"))
@answers_refusals
def operate(request: HttpRequest, service: str, instance: str, operation: str) -> HttpResponse:
    if operation not in OPERATIONS:
        raise Http404
    try:
        messages.success(request, OPERATIONS[operation](request, service, instance))
    except Refused as refusal:
        messages.error(request, _("The registry refused: %(detail)s") % {"detail": refusal.detail})
    if operation == "deregister":
        return redirect("service", service)
    return redirect("service-instance", service, instance)


def probe(request: HttpRequest, service: str, instance: str) -> str:
    if registry.probe(service, instance, person=request.user.get_username()):
        return _("%(instance)s is probed now; what comes of it shows here in a moment") % {"instance": instance}
    return _("A probe of %(instance)s is under way already") % {"instance": instance}


def begin_maintenance(request: HttpRequest, service: str, instance: str) -> str:
    minutes = request.POST.get("minutes", "")
    until = timezone.now() + timedelta(minutes=min(_number(minutes), A_YEAR_MINUTES)) if minutes else None
    registry.begin_maintenance(
        *(service, instance), until=until, reason=_reason(request), person=request.user.get_username()
    )
    return _("%(instance)s is in maintenance") % {"instance": instance}


def end_maintenance(request: HttpRequest, service: str, instance: str) -> str:
    registry.end_maintenance(service, instance, person=request.user.get_username())
    return _("Maintenance of %(instance)s has ended") % {"instance": instance}


def drain(request: HttpRequest, service: str, instance: str) -> str:
    seconds = _number(request.POST.get("seconds", ""))
    registry.drain(service, instance, seconds=seconds, reason=_reason(request), person=request.user.get_username())
    return _("%(instance)s drains and is deregistered in %(seconds)s s") % {"instance": instance, "seconds": seconds}


def replay(request: HttpRequest, service: str, instance: str) -> str:
    since = _number(request.POST.get("since", ""))
    registry.replay(service, instance, since=since, person=request.user.get_username())
    return _("%(instance)s is told again what changed since revision %(since)s") % {
        "instance": instance,
        "since": since,
    }


def deregister(request: HttpRequest, service: str, instance: str) -> str:
    registry.deregister(service, instance, person=request.user.get_username())
    return _("%(instance)s is deregistered") % {"instance": instance}


OPERATIONS: dict[str, Operation] = {
    "probe": probe,
    "maintenance": begin_maintenance,
    "end-maintenance": end_maintenance,
    "drain": drain,
    "replay": replay,
    "deregister": deregister,
}


def _reason(request: HttpRequest) -> str:
    return request.POST.get("reason", "").strip()[:200]


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise BadRequest(_("“%(text)s” is no whole number.") % {"text": text[:50]})
    return int(text)
