"""What a page becomes when the service it asks answers that it will not."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core.exceptions import BadRequest, PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse

from webui.upstream.exchange import Refused

View = Callable[..., HttpResponse]


def answers_refusals(view: View) -> View:
    @wraps(view)
    def answering(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return view(request, *args, **kwargs)
        except Refused as refusal:
            raise _as_page(refusal) from refusal

    return answering


def _as_page(refusal: Refused) -> Exception:
    match refusal.status:
        case 404:
            return Http404(refusal.detail)
        case 403:
            return PermissionDenied(refusal.detail)
    return BadRequest(refusal.detail)
