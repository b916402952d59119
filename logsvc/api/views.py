"""The log service's addresses (docs/logsvc.md): parse, ask the store, answer.

native_ingest.py takes records in; the view here does the same under servers other than ours.
"""

import time
from typing import Any

import msgspec
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.csrf import csrf_exempt
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from config import problems
from config.problems import MethodNotAllowed, NotFound, RawResponse
from config.tokens import authentication, gate
from config.tokens.holder import Holder
from config.tokens.views import ScopedView
from logsvc import access, representation, timestamps
from logsvc.access import Services
from logsvc.api import questions
from logsvc.ingest import receive
from logsvc.ingest.formats import FORMATS
from logsvc.ingest.receive import Head
from logsvc.record import Stored
from logsvc.storage.current import store
from logsvc.storage.errors import Away


class Renderer(BaseRenderer):
    """Encodes ten times as quickly as REST framework's own: a page of records is large."""

    media_type = "application/json"
    charset = None

    def render(self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None) -> bytes:
        return msgspec.json.encode(data)


class LogsvcView(ScopedView):
    renderer_classes = [Renderer]

    def handle_exception(self, exc: Exception) -> Response:
        return super().handle_exception(Away() if isinstance(exc, OperationalError | InterfaceError) else exc)

    def readable(self, request: Request) -> Services:
        assert isinstance(request.user, Holder), "HasScope has let it pass"
        return access.readable(request.user)

    def record(self, request: Request, identifier: str) -> Stored:
        """A record that the token may read. Raises NotFound for others too, so that nothing shows that they exist."""
        readable = self.readable(request)
        found = store().get(int(identifier)) if len(identifier) <= 19 else None
        if found is None or found.service not in readable:
            raise NotFound(f"There is no record {identifier[:40]}, or none any more.")
        return found


@method_decorator(csrf_exempt, name="dispatch")
class IngestView(View):
    """Takes records in without the lane, in the request's own thread."""

    def dispatch(self, request: HttpRequest, *args: Any, **options: Any) -> HttpResponse:
        head = Head(
            format=FORMATS[request.path],
            query=request.META.get("QUERY_STRING", ""),
            content_type=request.headers.get("Content-Type", ""),
            content_encoding=request.headers.get("Content-Encoding", ""),
        )
        try:
            if request.method != "POST":
                raise MethodNotAllowed(f'Method "{request.method}" not allowed. Use one of POST.')
            holder = authentication.from_header(request.headers.get("Authorization", ""))
            gate.current().admit(holder)
            receive.check(head, holder)
            batch = receive.read(head, request.body, holder=holder)
            if batch.records:
                store().append(batch.records, received_ns=time.time_ns())
            return _http_response(receive.accept(head, batch))
        except Exception as error:
            problem = Away() if isinstance(error, OperationalError | InterfaceError) else problems.from_exception(error)
            if problem is None:
                raise
            return _http_response(receive.refuse(head, problem))


class LogsView(LogsvcView):
    def post(self, request: Request) -> HttpResponse:
        return _ingest(request)

    def get(self, request: Request) -> Response:
        page = store().search(questions.search(request.query_params, self.readable(request)))
        return Response(
            {
                "records": [representation.record_body(record) for record in page.records],
                "next": None if page.next is None else str(page.next),
                "complete": page.is_complete,
            }
        )


class RecordView(LogsvcView):
    def get(self, request: Request, identifier: str) -> Response:
        return Response(representation.record_body(self.record(request, identifier)))


class ContextView(LogsvcView):
    def get(self, request: Request, identifier: str) -> Response:
        before, after = questions.context(request.query_params)
        record = self.record(request, identifier)
        older, newer = store().context(record, before=before, after=after)
        return Response(
            {
                "before": [representation.record_body(each) for each in older],
                "record": representation.record_body(record),
                "after": [representation.record_body(each) for each in newer],
            }
        )


class HistogramView(LogsvcView):
    def get(self, request: Request) -> Response:
        question = questions.histogram(request.query_params, self.readable(request))
        found = store().histogram(query=question.query, within=question.within, step_ns=question.step_ns)
        return Response(
            {
                "from": timestamps.wire(found.from_ns),
                "to": timestamps.wire(found.to_ns),
                "step_seconds": found.step_ns // 1_000_000_000,
                "buckets": [
                    {
                        "time": timestamps.wire(found.from_ns + number * found.step_ns),
                        "total": sum(counts.values()),
                        "levels": counts,
                    }
                    for number, counts in enumerate(found.counts)
                ],
                "complete": found.is_complete,
            }
        )


class FacetsView(LogsvcView):
    def get(self, request: Request) -> Response:
        question = questions.facets(request.query_params, self.readable(request))
        found = store().facets(
            query=question.query, within=question.within, fields=question.fields, limit=question.limit
        )
        return Response(
            {
                "facets": {
                    name: [{"value": value, "records": count} for value, count in values]
                    for name, values in found.values.items()
                },
                "counted": found.counted,
                "complete": found.is_complete,
            }
        )


class ArrivalsView(LogsvcView):
    """A tail as single answers, for clients that poll."""

    def get(self, request: Request) -> Response:
        query, cursor, limit = questions.arrivals(request.query_params, self.readable(request))
        if cursor is None:
            return Response({"records": [], "cursor": store().head(), "gapless": True})
        found = store().tail(after_seq=cursor, query=query, limit=limit)
        records = [representation.record_body(record) for record in found.records]
        return Response({"records": records, "cursor": found.cursor, "gapless": found.is_gapless})


class ServicesView(LogsvcView):
    def get(self, request: Request) -> Response:
        readable = self.readable(request)
        found = [
            {"service": service, "records": records}
            for service, records in store().services().items()
            if service in readable
        ]
        return Response({"services": found})


class FirstReleaseView(LogsvcView):
    """/v1/records, for clients of the first release."""

    def post(self, request: Request) -> HttpResponse:
        return _ingest(request)

    def get(self, request: Request) -> Response:
        page = store().search(questions.first_release_search(request.query_params, self.readable(request)))
        records = [representation.first_release_body(record) for record in page.records]
        return Response({"records": records, "next": page.next})


def _ingest(request: Request) -> HttpResponse:
    """Answer as IngestView does, in the format's own words and with its own status."""
    answer = IngestView.as_view()(request._request)
    assert isinstance(answer, HttpResponse), "nothing here streams"
    return answer


def _http_response(answer: RawResponse) -> HttpResponse:
    response = HttpResponse(answer.body, status=answer.status)
    del response["Content-Type"]
    for name, value in answer.headers:
        response[name.decode()] = value.decode("latin-1")
    return response
