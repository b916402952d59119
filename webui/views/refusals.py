"""The page that answers when the service it asks refuses."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core.exceptions import BadRequest, PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse

from webui.upstream.exchange import Refused
from webui.views.errors import answer_too_many

TOO_MANY = 429
View = Callable[..., HttpResponse]


def answers_refusals(view: View) -> View:
    @wraps(view)
    def answering(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return view(request, *args, **kwargs)
        except Refused as refusal:
            if refusal.status == TOO_MANY:
                return answer_too_many(request, refusal.detail)
            pages: dict[int, type[Exception]] = {404: Http404, 403: PermissionDenied}
            raise pages.get(refusal.status, BadRequest)(refusal.detail) from refusal

    return answering
