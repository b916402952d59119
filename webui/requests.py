"""Tells whether a request asks for a whole page, or for the part of one that htmx swaps."""

from django.http import HttpRequest
from django_htmx.middleware import HtmxDetails


def is_htmx(request: HttpRequest) -> bool:
    return bool(_details(request))


def wants_part(request: HttpRequest, part: str) -> bool:
    """Whether the answer goes into the element of that id; the browser's way back always needs the whole page."""
    details = _details(request)
    return bool(details) and details.target == part and not details.history_restore_request


def is_triggered_by(request: HttpRequest, *elements: str) -> bool:
    """Whether an element with one of these ids sent the request."""
    return _details(request).trigger in elements


def current_page(request: HttpRequest) -> str:
    """The path of the page that the browser shows while htmx asks for a part; the first page's where it names none."""
    try:
        return _details(request).current_url_abs_path or "/"
    except ValueError:
        return "/"


def _details(request: HttpRequest) -> HtmxDetails:
    details: HtmxDetails = request.htmx  # type: ignore[attr-defined]  # HtmxMiddleware sets it
    return details
