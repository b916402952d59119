"""The errors of every service: RFC 9457 `application/problem+json`; a client branches on `type` alone."""

import json
import logging
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import DisallowedHost, PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse

CONTENT_TYPE = "application/problem+json"

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class RawResponse:
    """An answer given before Django: the headers as ASGI wants them, without the content length.

    `rest` is the end of a long body, apart from its beginning so that it is not copied for each answer.
    """

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes
    rest: bytes = b""

    @property
    def length(self) -> int:
        return len(self.body) + len(self.rest)


class Problem(Exception):
    """Base of every error that reaches a caller.

    `code` names the kind of problem and is what `type` ends in; `detail` says what to change; `errors` lists, member
    by member, what is wrong with the request.
    """

    status = 400
    code = "bad-request"
    title = "The request cannot be understood"

    def __init__(self, detail: str, *, errors: list[dict[str, str]] | None = None, **members: Any) -> None:
        super().__init__(detail)
        self.detail = detail
        self.errors = errors
        self.members = members
        # An error is for one caller: no cache may give it to another.
        self.headers: dict[str, str] = {"Cache-Control": "no-store"}
        # The token or account that is refused, for the audit log; it does not leave the service.
        self.who = ""

    def body(self) -> dict[str, Any]:
        body: dict[str, Any] = {
            "type": f"urn:rollcall:problem:{self.code}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            **self.members,
        }
        if self.errors:
            body["errors"] = self.errors
        return body

    def response(self) -> RawResponse:
        return RawResponse(
            status=self.status,
            headers=(
                (b"content-type", CONTENT_TYPE.encode()),
                *((name.lower().encode(), value.encode("latin-1")) for name, value in self.headers.items()),
            ),
            body=json.dumps(self.body()).encode(),
        )

    def http_response(self) -> HttpResponse:
        response = HttpResponse(json.dumps(self.body()), status=self.status, content_type=CONTENT_TYPE)
        for name, value in self.headers.items():
            response[name] = value
        return response


class Malformed(Problem):
    code = "malformed-request"
    title = "The request is not HTTP/1.1"

    def __init__(self) -> None:
        super().__init__("Send a request as RFC 9112 has it: a request line, headers, and a body of the stated length.")


class IncompleteBody(Problem):
    code = "incomplete-body"
    title = "The body ended too soon"

    def __init__(self) -> None:
        super().__init__("The connection was closed before the whole body had come: send all of it.")


class UnknownHost(Problem):
    code = "unknown-host"
    title = "This service does not answer for that host"

    def __init__(self) -> None:
        super().__init__("Send one Host header that this service is called by; ROLLCALL_ALLOWED_HOSTS lists them.")


class Invalid(Problem):
    status = 422
    code = "invalid"
    title = "Some members of the request are not valid"


class Unauthenticated(Problem):
    status = 401
    code = "unauthenticated"
    title = "A valid token is needed"

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.headers["WWW-Authenticate"] = "Bearer"


class Forbidden(Problem):
    status = 403
    code = "forbidden"
    title = "The token does not allow this"


class NotFound(Problem):
    status = 404
    code = "not-found"
    title = "Not found"


class MethodNotAllowed(Problem):
    status = 405
    code = "method-not-allowed"
    title = "The address does not take this method"

    def __init__(self, detail: str, *, allowed: tuple[str, ...] = ()) -> None:
        super().__init__(detail)
        if allowed:
            self.headers["Allow"] = ", ".join(allowed)


class NotAcceptable(Problem):
    status = 406
    code = "not-acceptable"
    title = "The answer is not available in this format"


class RequestTimeout(Problem):
    status = 408
    code = "request-timeout"
    title = "The request took too long to arrive"


class Conflict(Problem):
    status = 409
    code = "conflict"
    title = "The request conflicts with what is stored"


class PreconditionFailed(Problem):
    status = 412
    code = "precondition-failed"
    title = "Somebody else changed it first"


class BodyTooLarge(Problem):
    status = 413
    code = "body-too-large"
    title = "The body is too large"

    def __init__(self, limit_bytes: int) -> None:
        super().__init__(f"The body may hold at most {limit_bytes} bytes: send less at once.", limit_bytes=limit_bytes)


class UriTooLong(Problem):
    status = 414
    code = "uri-too-long"
    title = "The address is too long"

    def __init__(self, limit_bytes: int) -> None:
        super().__init__(f"The address may have at most {limit_bytes} bytes.", limit_bytes=limit_bytes)


class UnsupportedMediaType(Problem):
    status = 415
    code = "unsupported-media-type"
    title = "This address does not accept a body of this type"


class PreconditionRequired(Problem):
    status = 428
    code = "precondition-required"
    title = "The version that you saw is required"


class TooManyRequests(Problem):
    status = 429
    code = "too-many-requests"
    title = "A limit is exceeded"

    def __init__(self, detail: str, *, retry_after_seconds: int, **members: Any) -> None:
        super().__init__(detail, retry_after_seconds=retry_after_seconds, **members)
        self.headers["Retry-After"] = str(retry_after_seconds)


class HeadersTooLarge(Problem):
    status = 431
    code = "headers-too-large"
    title = "The headers are too many or too long"

    def __init__(self, most: int, limit_bytes: int) -> None:
        super().__init__(
            f"A request may have at most {most} headers, and with its address {limit_bytes} bytes of them.",
            limit=most,
            limit_bytes=limit_bytes,
        )


class Unavailable(Problem):
    status = 503
    code = "unavailable"
    title = "Temporarily unavailable"


class InternalError(Problem):
    status = 500
    code = "internal-error"
    title = "The service failed"


def from_exception(error: BaseException) -> Problem | None:
    """The problem for an error; None for an unexpected one. Those of REST framework are left to config/rest.py."""
    match error:
        case Problem():
            return error
        case RequestDataTooBig():
            from django.conf import settings

            return BodyTooLarge(settings.DATA_UPLOAD_MAX_MEMORY_SIZE)
        case Http404():
            return NotFound("Nothing is kept at this address: check its spelling.")
        case PermissionDenied():
            return Forbidden(str(error) or "Ask for a token with the scope this needs.")
        case DisallowedHost():
            return UnknownHost()
        case SuspiciousOperation():
            return Problem(str(error))
        case OperationalError() | InterfaceError():
            logger.warning("The database failed: %s", error)
            return Unavailable("The database is unavailable or overloaded: try again.")
    return None


class ProblemMiddleware:
    """Turns a Problem raised by a plain view, and what no view caught, into its wire form for callers of an API."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self._get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        problem = from_exception(error)
        return problem.http_response() if isinstance(error, Problem) and problem else None


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """`handler404` of the services without pages."""
    return NotFound(f"Nothing is kept at {request.path}: check its spelling.").http_response()


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """`handler400`: a host that is not allowed, a malformed form."""
    return (from_exception(exception) or Problem("The request is malformed.")).http_response()


def server_error(request: HttpRequest) -> HttpResponse:
    """`handler500`: the log has the traceback, the caller does not."""
    return unexpected(sys.exc_info()[1]).http_response()


def unexpected(error: BaseException | None) -> Problem:
    """The problem for what no view caught: a database that failed outside of one, or a fault of our own."""
    problem = from_exception(error) if error is not None else None
    if isinstance(problem, Unavailable):
        return problem
    return InternalError("This is a fault of the service, not of the request; its log says more.")
