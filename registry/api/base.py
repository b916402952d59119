"""The base of the registry's views: names and parameters are checked, and every answer names its revision."""

from contextlib import suppress
from typing import Any

from django.db import InterfaceError, OperationalError
from django.http import HttpResponseBase
from rest_framework.request import Request

from config.tokens import acting
from config.tokens.issuing import Holder
from config.tokens.views import ScopedView
from registry.api.schema import QUERY
from registry.discovery import queries
from registry.instances import declaration
from registry.journal import log

HEADER = "Rollcall-Revision"
AUTHOR_LENGTH = 100


class RevisedView(ScopedView):
    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        declaration.check_names(**kwargs)
        query = getattr(getattr(self, str(request.method).lower(), None), QUERY, None)
        if query is not None:
            queries.parse(query, request.META.get("QUERY_STRING", ""))

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        final: HttpResponseBase = super().finalize_response(request, response, *args, **kwargs)
        if final.status_code < 400 and HEADER not in final.headers:
            # Read after the write, so that a client that asks for at least this revision reads its own write. A write
            # stays done when the database fails now.
            with suppress(OperationalError, InterfaceError):
                final[HEADER] = str(log.head())
        return final


def author_of(request: Request) -> str:
    """The author that the journal names for a change: the person that the token acts for, or the token."""
    holder = holder_of(request)
    person = acting.person(request, holder=holder)
    return f"{person} (by {holder.name})"[:AUTHOR_LENGTH] if person else holder.name


def holder_of(request: Request) -> Holder:
    holder = request.user
    assert isinstance(holder, Holder), "HasScope has let it pass"
    return holder
