"""The registry's addresses (docs/protocol.md): parse, ask the domain, answer."""

from typing import ClassVar

from django.http import HttpResponse
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from registry import declaration, heartbeats, intake, overrides, registration
from registry.api import answers, reads
from registry.api.operations import described
from registry.api.parameters import BeatReport, DeregisterQuery, DrainBody, MaintenanceBody, body_of, query_of
from registry.api.revised import RevisedView, holder_of
from registry.declaration import Target
from registry.enrolment import Entry
from registry.errors import OutOfScope
from registry.reading import documents, queries
from registry.reading.documents import provider_bodies
from registry.representation import instance_body


class InstanceView(RevisedView):
    @described("One instance", query=queries.Read, answer=answers.RegisteredInstance)
    def get(self, request: Request, service: str, instance: str) -> HttpResponse:
        return reads.answer(request, documents.instance(service, instance), query_of(request, queries.Read))

    @described("Register or update", body=declaration.Declaration, answer=answers.Registration, status=(200, 201))
    def put(self, request: Request, service: str, instance: str) -> Response:
        target = _changeable(request, service, instance)
        declared = declaration.declaration(request.data)
        registered = intake.register(Entry(target=target, declared=declared, author=holder_of(request).name))
        body = {
            "instance": instance_body(registered.instance),
            "revision": registered.revision,
            "providers": provider_bodies(registered.providers),
        }
        return Response(body, status=201 if registered.is_new else 200)

    @described("Deregister", query=DeregisterQuery, status=204)
    def delete(self, request: Request, service: str, instance: str) -> Response:
        target = _changeable(request, service, instance)
        registration.deregister(
            target,
            author=holder_of(request).name,
            incarnation=query_of(request, DeregisterQuery).incarnation,
            now=timezone.now(),
        )
        return Response(status=204)


class HeartbeatView(RevisedView):
    @described("Beat", body=BeatReport, needs_body=False, status=204)
    def put(self, request: Request, service: str, instance: str) -> Response:
        target = _changeable(request, service, instance)
        report = body_of(request, BeatReport)
        heartbeats.beat(
            target,
            succeeded=report.status == "passing",
            reason=report.reason,
            author=holder_of(request).name,
            now=timezone.now(),
        )
        return Response(status=204)


class MaintenanceView(RevisedView):
    """Of an instance, or with none in the address of a whole service."""

    scopes: ClassVar = {"*": "operate"}

    @described("Begin maintenance", body=MaintenanceBody, needs_body=False, status=204)
    def put(self, request: Request, service: str, instance: str = "") -> Response:
        wanted = body_of(request, MaintenanceBody)
        overrides.begin_maintenance(
            service,
            instance,
            until=wanted.until,
            reason=wanted.reason,
            author=holder_of(request).name,
            now=timezone.now(),
        )
        return Response(status=204)

    @described("End maintenance", status=204)
    def delete(self, request: Request, service: str, instance: str = "") -> Response:
        overrides.end_maintenance(service, instance, author=holder_of(request).name, now=timezone.now())
        return Response(status=204)


class DrainView(RevisedView):
    @described("Drain", body=DrainBody, needs_body=False, answer=answers.RegisteredInstance)
    def post(self, request: Request, service: str, instance: str) -> Response:
        target = _changeable(request, service, instance)
        wanted = body_of(request, DrainBody)
        draining = overrides.drain(
            target,
            seconds=wanted.seconds,
            reason=wanted.reason,
            author=holder_of(request).name,
            now=timezone.now(),
        )
        return Response(instance_body(draining))


def _changeable(request: Request, service: str, instance: str) -> Target:
    """The instance, if the request's token may change it."""
    target = declaration.target(service, instance)
    holder = holder_of(request)
    if not holder.may_register(target.service) and not holder.may("operate"):
        raise OutOfScope(holder.name, target.service)
    return target
