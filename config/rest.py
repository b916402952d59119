"""REST framework's errors as problems; apart from config/problems.py, as few processes need REST framework at all."""

import math
from typing import Any

from rest_framework import exceptions
from rest_framework.response import Response

from config import problems
from config.problems import (
    CONTENT_TYPE,
    Forbidden,
    Invalid,
    MethodNotAllowed,
    NotAcceptable,
    NotFound,
    Problem,
    TooManyRequests,
    Unauthenticated,
    UnsupportedMediaType,
)


def from_exception(error: BaseException) -> Problem | None:
    """The problem for an error, also one of REST framework; None for an unexpected one."""
    match error:
        case exceptions.NotFound():
            return NotFound("Nothing is kept at this address: check its spelling.")
        case exceptions.AuthenticationFailed() | exceptions.NotAuthenticated():
            return Unauthenticated(str(error.detail))
        case exceptions.PermissionDenied():
            return Forbidden(str(error) or "Ask for a token with the scope this needs.")
        case exceptions.MethodNotAllowed():
            return MethodNotAllowed(str(error.detail))
        case exceptions.NotAcceptable():
            return NotAcceptable("Send `Accept: application/json`, or no such header.")
        case exceptions.Throttled():
            return TooManyRequests(str(error.detail), retry_after_seconds=math.ceil(getattr(error, "wait", None) or 1))
        case exceptions.UnsupportedMediaType():
            return UnsupportedMediaType(str(error.detail))
        case exceptions.ValidationError():
            return Invalid("See `errors` for each member.", errors=list(_flattened(error.detail)))
        case exceptions.ParseError():
            return Problem(str(error.detail))
        case exceptions.APIException():
            problem = Problem(str(error.detail))
            problem.status = error.status_code
            return problem
    return problems.from_exception(error)


def exception_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """REST framework's `EXCEPTION_HANDLER`."""
    problem = from_exception(error)
    if problem is None:
        return None
    view = context["view"]
    # REST framework's sentences do not say what the address accepts.
    match error:
        case exceptions.MethodNotAllowed():
            problem.detail += f" Use one of {', '.join(view.allowed_methods)}."
        case exceptions.UnsupportedMediaType():
            types = " or ".join(parser.media_type for parser in view.parser_classes)
            problem.detail += f" Send the body with Content-Type: {types}."
    response = Response(problem.body(), status=problem.status, headers=problem.headers)
    response.content_type = CONTENT_TYPE
    return response


def _flattened(detail: Any, pointer: str = "") -> list[dict[str, str]]:
    if isinstance(detail, dict):
        pairs = [(f"{pointer}/{name}", value) for name, value in detail.items()]
    elif isinstance(detail, list) and any(isinstance(item, dict | list) for item in detail):
        pairs = [(f"{pointer}/{index}", value) for index, value in enumerate(detail)]
    else:
        messages = detail if isinstance(detail, list) else [detail]
        return [{"pointer": pointer or "/", "detail": str(message)} for message in messages]
    return [entry for name, value in pairs for entry in _flattened(value, name)]
