"""Headers of pages: no-store, and the admin's content security policy; and the page for when the database is away."""

import logging
from collections.abc import Callable

from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

# Alpine, which the admin's theme is written with, evaluates the expressions in its attributes; htmx adds a style.
ADMIN_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self' 'unsafe-eval'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
)


RETRY_AFTER_SECONDS = 5

logger = logging.getLogger(__name__)


class PagesMiddleware:
    """No cache keeps errors, nor what is shown to a person who has signed in. The admin has a policy of its own, below
    settings.ADMIN_PATH and nowhere else."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self._get_response(request)
        is_private = response.status_code >= 400 or settings.SESSION_COOKIE_NAME in request.COOKIES
        if is_private and not response.has_header("Cache-Control"):
            response["Cache-Control"] = "no-store"
        if request.path.startswith(settings.ADMIN_PATH):
            response["Content-Security-Policy"] = ADMIN_POLICY
        return response

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """A database that is away is no fault of this program: it is said on a page, without a traceback in the log."""
        is_page = request.path.startswith(settings.ADMIN_PATH) or "text/html" in request.headers.get("Accept", "")
        if not is_page or not isinstance(error, OperationalError | InterfaceError):
            return None
        logger.warning("The database failed: %s", error)
        response = HttpResponse(render_to_string("503.html", {"request": request}), status=503)
        response["Retry-After"] = str(RETRY_AFTER_SECONDS)
        return response
