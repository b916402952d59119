"""The log service's addresses (docs/logsvc.md): parse, ask the domain, answer."""

import logging
from dataclasses import asdict
from typing import Any, ClassVar

from django.db import InterfaceError, OperationalError
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from config.problems import Unavailable
from config.tokens.issuing import Holder
from config.tokens.views import ScopedView
from logsvc import levels, query, records
from logsvc.api.parameters import Parameters, question, text
from logsvc.api.parsers import NDJSONParser, PlainTextParser
from logsvc.api.representation import record_body
from logsvc.ingest import ndjson, plaintext
from logsvc.ingest.outcome import Outcome

RETRY_AFTER_SECONDS = 2

logger = logging.getLogger(__name__)


class LogsvcView(ScopedView):
    def handle_exception(self, exc: Exception) -> Response:
        match exc:
            case OperationalError() | InterfaceError():
                logger.error("the database is away: %s", exc)
                away = Unavailable("The log service's database is away or overloaded: send it again.")
                away.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
                return super().handle_exception(away)
        return super().handle_exception(exc)


class RecordsView(LogsvcView):
    scopes: ClassVar = {"GET": "read", "POST": "write"}
    parser_classes = [NDJSONParser]

    def get(self, request: Request) -> Response:
        page = query.newest(question(request.query_params))
        return Response({"records": [record_body(record) for record in page.records], "next": page.next})

    def post(self, request: Request) -> Response:
        now = timezone.now()
        outcome = ndjson.read(_body(request), sender=_sender(request), now=now)
        records.store(outcome.entries, now=now)
        return _answer(outcome)


class LogView(LogsvcView):
    scopes: ClassVar = {"POST": "write"}
    parser_classes = [PlainTextParser]

    def post(self, request: Request) -> Response:
        now = timezone.now()
        parameters = Parameters(request.query_params)
        service = parameters.get("service", text, _sender(request))
        level = parameters.get("level", levels.severity, int(levels.Level.INFO))
        parameters.check()
        outcome = plaintext.read(_body(request), service=service, level=level, now=now)
        records.store(outcome.entries, now=now)
        return _answer(outcome)


class ServicesView(LogsvcView):
    scopes: ClassVar = {"GET": "read"}

    def get(self, request: Request) -> Response:
        return Response({"services": [asdict(sender) for sender in query.senders()]})


def _sender(request: Request) -> str:
    """The service a record is taken to be of where it names none: tokens are named after their services."""
    assert isinstance(request.user, Holder), "HasScope has let it pass"
    return request.user.name


def _body(request: Request) -> bytes:
    """REST framework has an empty mapping where there is no body."""
    data: Any = request.data
    return data if isinstance(data, bytes) else b""


def _answer(outcome: Outcome) -> Response:
    return Response({"accepted": len(outcome.entries), "rejected": [asdict(each) for each in outcome.rejected]})
