"""Views on instances (docs/protocol.md): parse, call the domain, answer."""

from typing import ClassVar

from django.http import HttpResponse
from django.utils import timezone
from msgspec import to_builtins
from rest_framework.request import Request
from rest_framework.response import Response

from registry.api import bodies, reads
from registry.api.base import RevisedView, author_of, holder_of
from registry.api.parameters import (
    BeatReport,
    DeregisterQuery,
    DrainBody,
    MaintenanceBody,
    beat_of,
    body_of,
    query_of,
)
from registry.api.schema import described
from registry.discovery import documents, queries
from registry.health import results
from registry.instances import catalogue, overrides, permissions, registration
from registry.instances.allowance import Allowance
from registry.instances.overrides import DrainOrder, MaintenanceOrder, Order
from registry.instances.permissions import changeable
from registry.instances.registration import Departure
from registry.models import Heartbeat, InstanceKey
from registry.server import server
from registry.wire import answers
from registry.wire.bodies import heartbeat_body, instance_body
from registry.wire.declaration import Declaration


class InstanceView(RevisedView):
    @described("One instance", query=queries.Read, answer=answers.RegisteredInstance)
    def get(self, request: Request, service: str, instance: str) -> HttpResponse:
        return reads.answer(request, documents.instance(service, instance), query_of(request, queries.Read))

    @described("Register or update", body=Declaration, answer=answers.Registration, status=(200, 201))
    def put(self, request: Request, service: str, instance: str) -> Response:
        holder = holder_of(request)
        key = changeable(service, instance, holder=holder)
        registered = server.group_commit.perform(
            registration.store_all, permissions.entry(key, request.data, holder=holder, allowance=Allowance(holder))
        )
        return Response(to_builtins(bodies.registration(registered)), status=201 if registered.is_new else 200)

    @described("Deregister", query=DeregisterQuery, status=204)
    def delete(self, request: Request, service: str, instance: str) -> Response:
        holder = holder_of(request)
        departure = Departure(
            key=changeable(service, instance, holder=holder),
            author=author_of(request),
            incarnation=query_of(request, DeregisterQuery).incarnation,
            allowance=Allowance(holder),
        )
        server.group_commit.perform(registration.remove_all, departure)
        return Response(status=204)


class HeartbeatView(RevisedView):
    @described("Beat", body=BeatReport, needs_body=False, status=204)
    def put(self, request: Request, service: str, instance: str) -> Response:
        holder = holder_of(request)
        key = changeable(service, instance, holder=holder)
        report = body_of(request, BeatReport)
        beat = beat_of(key, report, author=author_of(request), holder=holder)
        server.group_commit.perform(results.take_beats, beat)
        return Response(status=204)


class HeartbeatsView(RevisedView):
    scopes: ClassVar = {"GET": "read:{service}"}

    @described("The last results and next probes of a service's instances", answer=answers.Heartbeats)
    def get(self, request: Request, service: str) -> Response:
        found = (
            Heartbeat.objects.filter(instance__service=service).select_related("instance").order_by("instance__name")
        )
        return Response({"heartbeats": [heartbeat_body(each) for each in found]})


class ProbeView(RevisedView):
    scopes: ClassVar = {"*": "operate"}

    @described("Probe an instance now", answer=answers.DueNow, status=202)
    def post(self, request: Request, service: str, instance: str) -> Response:
        found = catalogue.instance(service, instance)
        return Response({"due": results.hurry([found], now=timezone.now())}, status=202)


class MaintenanceView(RevisedView):
    """Maintenance of an instance, or without one in the address of a whole service."""

    scopes: ClassVar = {"*": "operate"}

    @described("Begin maintenance", body=MaintenanceBody, needs_body=False, status=204)
    def put(self, request: Request, service: str, instance: str = "") -> Response:
        wanted = body_of(request, MaintenanceBody)
        order = MaintenanceOrder(
            key=InstanceKey(service=service, instance=instance),
            until=wanted.until,
            reason=wanted.reason,
            author=author_of(request),
        )
        server.group_commit.perform(overrides.begin_all, order)
        return Response(status=204)

    @described("End maintenance", status=204)
    def delete(self, request: Request, service: str, instance: str = "") -> Response:
        order = Order(key=InstanceKey(service=service, instance=instance), author=author_of(request))
        server.group_commit.perform(overrides.end_all, order)
        return Response(status=204)


class DrainView(RevisedView):
    @described("Drain", body=DrainBody, needs_body=False, answer=answers.RegisteredInstance)
    def post(self, request: Request, service: str, instance: str) -> Response:
        holder = holder_of(request)
        key = changeable(service, instance, holder=holder)
        wanted = body_of(request, DrainBody)
        order = DrainOrder(
            key=key,
            seconds=wanted.seconds,
            reason=wanted.reason,
            author=author_of(request),
            allowance=Allowance(holder),
        )
        return Response(instance_body(server.group_commit.perform(overrides.drain_all, order)))
