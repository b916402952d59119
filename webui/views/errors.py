"""Errors as people see them: what happened, what to do, and a way back."""

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string


@dataclass(frozen=True, kw_only=True)
class Mishap:
    title: str
    advice: str


def answer_bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _page(request, 400, "This request cannot be understood", str(exception))


def answer_forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _page(request, 403, "This page is not for your account", str(exception))


def answer_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _page(request, 404, "There is no such page", "Check the address, or start again from the first page.")


def answer_csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    advice = "Load the page again and repeat what you did. If that does not help, allow this site's cookies."
    return _page(request, 403, "This form has expired", advice)


def answer_server_error(request: HttpRequest) -> HttpResponse:
    """Stands on its own: what failed may be what the other pages need."""
    return HttpResponse(render_to_string("webui/server_error.html"), status=500)


def _page(request: HttpRequest, status: int, title: str, advice: str) -> HttpResponse:
    return render(request, "webui/error.html", {"mishap": Mishap(title=title, advice=advice)}, status=status)
