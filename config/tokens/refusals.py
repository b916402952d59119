"""REST framework's `EXCEPTION_HANDLER`: problems on the wire, and refusals in the audit log."""

from typing import Any

from rest_framework.response import Response

from config import rest
from config.tokens import gate
from config.tokens.gate import REFUSALS, address_of


def exception_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    response = rest.exception_handler(error, context)
    if response is not None and response.status_code in REFUSALS:
        request, problem = context["request"], rest.from_exception(error)
        assert problem is not None, "it was answered as one"
        gate.current().note_refusal(
            problem,
            method=request.method,
            path=request.path,
            authorization=request.META.get("HTTP_AUTHORIZATION", ""),
            address=address_of(request.META.get("REMOTE_ADDR", ""), request.META.get("HTTP_X_FORWARDED_FOR", "")),
        )
    return response
