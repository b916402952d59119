"""Errors as people see them: what happened, what to do, and a way back. No browser keeps them."""

import sys
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.cache import add_never_cache_headers
from django.utils.translation import gettext as _

from config import problems

RETRY_AFTER_SECONDS = 2


@dataclass(frozen=True, kw_only=True)
class Mishap:
    title: str
    advice: str


def answer_bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _page(request, 400, _("This request cannot be understood"), str(exception))


def answer_forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _page(request, 403, _("This page is not for your account"), str(exception))


def answer_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _page(request, 404, _("There is no such page"), _("Check the address, or start again from the first page."))


def answer_too_many(request: HttpRequest, advice: str) -> HttpResponse:
    """Answer where another service is asked too much at once; it may be asked again in a moment."""
    response = _page(request, 429, _("That is too much at once"), advice)
    response["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return response


def answer_csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    advice = _("Load the page again and repeat what you did. If that does not help, allow this site's cookies.")
    return _page(request, 403, _("This form has expired"), advice)


def answer_server_error(request: HttpRequest) -> HttpResponse:
    """Answer without the other pages' parts, as these may need what failed."""
    status = problems.unexpected(sys.exc_info()[1]).status
    response = HttpResponse(render_to_string("webui/server_error.html"), status=status)
    add_never_cache_headers(response)
    return response


def _page(request: HttpRequest, status: int, title: str, advice: str) -> HttpResponse:
    response = render(request, "webui/error.html", {"mishap": Mishap(title=title, advice=advice)}, status=status)
    add_never_cache_headers(response)
    return response
