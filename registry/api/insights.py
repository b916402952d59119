"""What the registry makes of the whole (docs/protocol.md)."""

from dataclasses import asdict
from typing import Any, ClassVar

from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from registry.api.base import RevisedView
from registry.api.parameters import HistoryQuery, query_of
from registry.api.schema import described
from registry.health import protection, uptime
from registry.instances import catalogue, declaration, impact
from registry.journal import log
from registry.wire import answers
from registry.wire.bodies import history_body, timestamp


class ProtectionView(RevisedView):
    scopes: ClassVar = {"GET": "read", "*": "operate"}

    @described("Whether protection is active", answer=answers.Protection)
    def get(self, request: Request) -> Response:
        return Response(_protection_body(protection.situation(now=timezone.now())))

    @described("End protection", status=204)
    def delete(self, request: Request) -> Response:
        protection.end(now=timezone.now())
        return Response(status=204)


class GraphView(RevisedView):
    scopes: ClassVar = {"GET": "read"}

    @described("What the requirements say of the services", answer=answers.Graph)
    def get(self, request: Request) -> Response:
        revision = log.head()
        summaries = catalogue.summaries()
        services = [
            {"service": each.service, "offers": each.offers, "requires": sorted(each.requires)} for each in summaries
        ]
        return Response({"revision": revision, "services": services, **asdict(impact.findings(summaries))})


class HistoryView(RevisedView):
    """Of an instance, or with none in the address of a whole service."""

    scopes: ClassVar = {"GET": "read"}

    @described("What probes found: the uptime", query=HistoryQuery, answer=answers.History)
    def get(self, request: Request, service: str, instance: str = "") -> Response:
        declaration.instance_key(service, instance or service)
        wanted = query_of(request, HistoryQuery)
        days, span_hours, now = wanted.days, uptime.SPANS[wanted.by], timezone.now()
        if instance:
            found = uptime.of_instance(service, instance, days=days, span_hours=span_hours, now=now)
        else:
            found = uptime.of_service(service, days=days, span_hours=span_hours, now=now)
        return Response(history_body(found))


def _protection_body(situation: protection.Situation) -> dict[str, Any]:
    return {
        "active": situation.is_active,
        "since": situation.since and timestamp(situation.since),
        "reason": situation.reason,
        "ends": f"{situation.ends} DELETE /v1/protection ends it now." if situation.is_active else "",
        "suspects": situation.suspects,
        "grace_until": situation.grace_until and timestamp(situation.grace_until),
    }
