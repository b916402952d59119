"""The reads where Django answers them: HEAD, and servers without native lanes.

They always ask the database and answer at once: waiting needs the lane (native_reads.py).
"""

from collections.abc import Sequence
from typing import ClassVar

from django.http import HttpResponse
from rest_framework.request import Request
from rest_framework.response import Response

from registry.api.base import HEADER, RevisedView, holder_of
from registry.api.parameters import JournalPage, query_of
from registry.api.schema import described
from registry.discovery import cache, documents, queries
from registry.discovery.documents import Document
from registry.discovery.etags import response
from registry.errors import NotThereYet, Resync
from registry.journal import log
from registry.journal.log import Shown
from registry.server import server
from registry.wire import answers
from registry.wire.bodies import entry_body


def answer(request: Request, document: Document, query: queries.Read) -> HttpResponse:
    document.check(holder_of(request))
    found = document.answer()
    if query.at_least is not None and found.revision < query.at_least:
        raise NotThereYet(query.at_least, head=found.revision)
    address = cache.lasting(request.path, request.META.get("QUERY_STRING", "").encode("latin-1"))
    condition = request.META.get("HTTP_IF_NONE_MATCH", "").encode("latin-1")
    raw = response(address, found, condition, changed_at=found.revision)
    made = HttpResponse(raw.body + raw.rest, status=raw.status)
    for name, value in raw.headers:
        made[name.decode().title()] = value.decode()
    return made


class ServicesView(RevisedView):
    @described("The services", query=queries.Services, answer=answers.ServiceList)
    def get(self, request: Request) -> HttpResponse:
        query = query_of(request, queries.Services)
        return answer(request, documents.services(query), query)


class ServiceView(RevisedView):
    @described("One service", query=queries.Read, answer=answers.ServiceSummary)
    def get(self, request: Request, service: str) -> HttpResponse:
        return answer(request, documents.service(service), query_of(request, queries.Read))


class InstancesView(RevisedView):
    @described("The instances of a service; waits for a change", query=queries.Instances, answer=answers.InstanceList)
    def get(self, request: Request, service: str) -> HttpResponse:
        query = query_of(request, queries.Instances)
        return answer(request, documents.instances(service, query, server.rows), query)


class ProvidersView(RevisedView):
    @described("The providers of an instance; waits for a change", query=queries.Waiting, answer=answers.Providers)
    def get(self, request: Request, service: str, instance: str) -> HttpResponse:
        return answer(request, documents.providers(service, instance), query_of(request, queries.Waiting))


class TargetsView(RevisedView):
    @described("Prometheus' HTTP service discovery", query=queries.Targets, answer=list[answers.TargetGroup])
    def get(self, request: Request) -> HttpResponse:
        query = query_of(request, queries.Targets)
        return answer(request, documents.targets(query), query)


class JournalView(RevisedView):
    scopes: ClassVar = {"GET": "read"}

    @described("The journal", query=JournalPage, answer=answers.Journal)
    def get(self, request: Request) -> Response:
        wanted = query_of(request, JournalPage)
        revision, oldest = log.head(), log.oldest()
        if wanted.order == "newest":
            entries = log.newest(before=wanted.before, limit=wanted.limit + 1, services=wanted.service)
            return _journal(entries, wanted.limit, revision=revision)
        if wanted.after is not None and wanted.after < oldest - 1:
            raise Resync(wanted.after, oldest=oldest, head=revision)
        entries = log.page(after=wanted.after or 0, limit=wanted.limit + 1, services=wanted.service)
        return _journal(entries, wanted.limit, revision=revision)


def _journal(entries: Sequence[Shown], limit: int, *, revision: int) -> Response:
    """A page of the first `limit` entries; one more entry says that another page follows."""
    shown = entries[:limit]
    following = shown[-1].revision if len(entries) > limit else None
    body = {"revision": revision, "entries": [entry_body(each) for each in shown], "next": following}
    return Response(body, headers={HEADER: str(revision)})
