"""Views on deliveries, and on redelivering (docs/protocol.md)."""

from typing import ClassVar

from django.db.models import QuerySet
from django.utils import timezone
from msgspec import Struct
from rest_framework.request import Request
from rest_framework.response import Response

from registry.api.base import RevisedView
from registry.api.parameters import body_of, query_of
from registry.api.schema import described
from registry.instances import catalogue, declaration
from registry.models import Delivery
from registry.webhooks import replay, sender
from registry.wire import answers
from registry.wire.bodies import delivery_body
from registry.wire.limits import Limit, Revision, ServiceName


class ReplayBody(Struct, frozen=True, kw_only=True):
    """The place to begin at: either a revision, or the start of a delivery."""

    since: Revision | None = None
    delivery: Revision | None = None

    def __post_init__(self) -> None:
        if (self.since is None) == (self.delivery is None):
            raise ValueError("Name either `since`, a revision, or `delivery`, the id of one")


class DeliveriesPage(Struct, frozen=True, kw_only=True):
    before: Revision | None = None
    limit: Limit = 100


class AllDeliveriesPage(DeliveriesPage, frozen=True, kw_only=True):
    """`service` is the dependent's."""

    service: ServiceName | None = None


class DeliveriesView(RevisedView):
    scopes: ClassVar = {"GET": "read:{service}"}

    @described("Deliveries to an instance", query=DeliveriesPage, answer=answers.Deliveries)
    def get(self, request: Request, service: str, instance: str) -> Response:
        catalogue.instance(service, instance)
        page = query_of(request, DeliveriesPage)
        return _page(Delivery.objects.filter(service=service, instance=instance), page)


class AllDeliveriesView(RevisedView):
    scopes: ClassVar = {"GET": "read"}

    @described("Deliveries to all dependents, or to a service's", query=AllDeliveriesPage, answer=answers.Deliveries)
    def get(self, request: Request) -> Response:
        page = query_of(request, AllDeliveriesPage)
        deliveries = Delivery.objects.all()
        return _page(deliveries.filter(service=page.service) if page.service else deliveries, page)


class ReplayView(RevisedView):
    scopes: ClassVar = {"*": "operate"}

    @described("Redeliver to an instance", body=ReplayBody, status=202)
    def post(self, request: Request, service: str, instance: str) -> Response:
        target, wanted = declaration.instance_key(service, instance), body_of(request, ReplayBody)
        if wanted.delivery is not None:
            replay.delivery(target, wanted.delivery)
        elif wanted.since is not None:
            replay.since(target, wanted.since)
        return Response(status=202)


class ResyncView(RevisedView):
    """Resyncs one dependent, or without one in the address all."""

    scopes: ClassVar = {"*": "operate"}

    @described("Resync dependents", answer=answers.Resynced, status=202)
    def post(self, request: Request, service: str = "", instance: str = "") -> Response:
        targets = [declaration.instance_key(service, instance)] if service else None
        return Response({"dependents": replay.resync(targets)}, status=202)


class TrialView(RevisedView):
    scopes: ClassVar = {"*": "operate"}

    @described("Send a test webhook", answer=answers.Trial)
    def post(self, request: Request, service: str, instance: str) -> Response:
        message = replay.trial(declaration.instance_key(service, instance), now=timezone.now())
        return Response(sender.attempt_body(sender.send_now(message)))


def _page(deliveries: QuerySet[Delivery], page: DeliveriesPage) -> Response:
    """Newest first; `next` is the `before` of the next page."""
    if page.before is not None:
        deliveries = deliveries.filter(pk__lt=page.before)
    found = list(deliveries.order_by("-pk")[: page.limit + 1])
    shown = found[: page.limit]
    following = shown[-1].pk if len(found) > page.limit else None
    return Response({"deliveries": [delivery_body(each) for each in shown], "next": following})
