"""The status of all services, kept up to date part by part."""

import hashlib
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.views.decorators.http import require_safe

from webui import board, outages
from webui.outages import Outage
from webui.requests import is_triggered_by
from webui.roles import STAFF, opens_to
from webui.upstream import registry
from webui.upstream.exchange import UpstreamDown
from webui.upstream.registry import Snapshot


@dataclass(frozen=True, kw_only=True)
class Part:
    """A piece of the page that is swapped when its digest is no longer the one the browser has seen."""

    name: str
    html: str

    @property
    def seen(self) -> str:
        digest = hashlib.blake2s(self.html.encode(), digest_size=8).hexdigest()
        return f"{self.name}:{digest}"


@require_safe
@opens_to(*STAFF)
def show_status(request: HttpRequest) -> HttpResponse:
    parts = _parts(*_look())
    if not is_triggered_by(request, "status-poll"):
        return render(request, "webui/status.html", {"parts": parts})
    return _answer_poll(request, parts)


def _answer_poll(request: HttpRequest, parts: list[Part]) -> HttpResponse:
    """Only what changed; the whole board when a service came or went."""
    seen = request.GET.getlist("seen")
    if {part.name for part in parts} != {name.partition(":")[0] for name in seen}:
        return render(request, "webui/parts/board.html", {"parts": parts, "is_swap": True})
    changed = [part for part in parts if part.seen not in seen]
    if not changed:
        return HttpResponse(status=204)
    return render(request, "webui/parts/changed.html", {"parts": changed})


def _look() -> tuple[Snapshot | None, Outage | None]:
    """What the registry says, or what it last said and why it says nothing now."""
    try:
        return registry.snapshot(), None
    except UpstreamDown as error:
        return registry.last_snapshot(), outages.describe(error, effect="What changes meanwhile cannot be shown")


def _parts(snapshot: Snapshot | None, outage: Outage | None) -> list[Part]:
    judged = board.judge(snapshot) if snapshot else None
    context = {"snapshot": snapshot, "board": judged, "outage": outage}
    services = judged.services if judged else ()
    return [
        _part("summary", context),
        *(_part("service", {"service": service}, name=f"service-{service.name}") for service in services),
        _part("events", context),
    ]


def _part(template: str, context: dict[str, Any], *, name: str = "") -> Part:
    html = render_to_string(f"webui/status/{template}.html", context)
    return Part(name=name or template, html=html)
