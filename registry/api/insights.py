"""Views on the whole: protection, the graph, the board, uptime (docs/protocol.md)."""

from collections.abc import Sequence
from typing import Any, ClassVar

import msgspec
from django.http import HttpResponse
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from registry.api.base import RevisedView
from registry.api.parameters import HistoryQuery, query_of
from registry.api.schema import described
from registry.health import board, protection, uptime, watchdog
from registry.instances import catalogue, declaration, standing
from registry.instances.dependencies import Findings
from registry.instances.standing import Standing
from registry.journal import log
from registry.wire import answers
from registry.wire.bodies import tenths, timestamp


class ProtectionView(RevisedView):
    scopes: ClassVar = {"GET": "read", "*": "operate"}

    @described("Whether protection is active", answer=answers.Protection)
    def get(self, request: Request) -> Response:
        situation = protection.situation(now=timezone.now())
        return Response(
            {
                "active": situation.is_active,
                "since": situation.since and timestamp(situation.since),
                "reason": situation.reason,
                "ends": f"{situation.ends} DELETE /v1/protection ends it now." if situation.is_active else "",
                "suspects": situation.suspects,
                "grace_until": situation.grace_until and timestamp(situation.grace_until),
            }
        )

    @described("End protection", status=204)
    def delete(self, request: Request) -> Response:
        protection.end(now=timezone.now())
        return Response(status=204)


class GraphView(RevisedView):
    scopes: ClassVar = {"GET": "read"}

    @described("The dependency graph: each service's state and root causes", answer=answers.Graph)
    def get(self, request: Request) -> Response:
        revision = log.head()
        standings, found = standing.standings()
        return Response(graph_body(standings, found, revision=revision))


class BoardView(RevisedView):
    scopes: ClassVar = {"GET": "read"}

    @described("Every service with its heartbeats, uptime and latency: the status board", answer=answers.Board)
    def get(self, request: Request) -> HttpResponse:
        revision, now = log.head(), timezone.now()
        services = [_board_row(each) for each in board.rows(now=now)]
        findings = watchdog.findings(now=now)
        body = {"revision": revision, "at": timestamp(now), "findings": findings, "services": services}
        # Most of it is JSON already, which REST framework's renderer knows nothing of.
        return HttpResponse(msgspec.json.encode(body), content_type="application/json")


class HistoryView(RevisedView):
    """The history of an instance, or without one in the address of a whole service."""

    scopes: ClassVar = {"GET": "read:{service}"}

    @described("Uptime by day or by hour", query=HistoryQuery, answer=answers.History)
    def get(self, request: Request, service: str, instance: str = "") -> Response:
        declaration.instance_key(service, instance or service)
        wanted = query_of(request, HistoryQuery)
        days, span_hours, now = wanted.days, uptime.SPANS[wanted.by], timezone.now()
        if instance:
            found = uptime.of_instance(service, instance, days=days, span_hours=span_hours, now=now)
        else:
            found = uptime.of_service(service, days=days, span_hours=span_hours, now=now)
        return Response(uptime.history_body(found))


def graph_body(standings: Sequence[Standing], found: Findings, *, revision: int) -> dict[str, Any]:
    return {
        "revision": revision,
        "services": [
            {
                "service": each.summary.service,
                "offers": each.summary.offers,
                "requires": sorted(each.summary.requires),
                "state": each.state.value,
                "since": each.since and timestamp(each.since),
                "reason": each.reason,
                "causes": each.causes,
            }
            for each in standings
        ],
        "down": found.down,
        "roots": found.roots,
        "affected": found.affected,
        "unmet": found.unmet,
        "cycles": found.cycles,
    }


def _board_row(row: board.Row) -> dict[str, Any]:
    standing = row.standing
    return {
        **catalogue.summary_body(standing.summary),
        "status": standing.state.value,
        "status_since": standing.since and timestamp(standing.since),
        "status_reason": standing.reason,
        "causes": standing.causes,
        "last_heartbeat_at": row.last_heartbeat_at and timestamp(row.last_heartbeat_at),
        "latency_ms": tenths(row.latency_ms),
        "tags": sorted(row.tags),
        "zones": sorted(row.zones),
        "days": msgspec.Raw(row.days),
        "latencies": msgspec.Raw(row.latencies),
    }
