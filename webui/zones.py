"""The reader's time zone, which the browser names in a cookie; without one, times are in UTC and say so."""

from collections.abc import Callable
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

COOKIE = "webui_zone"


class ZoneMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with timezone.override(_find(request.COOKIES.get(COOKIE, ""))):
            return self._get_response(request)


def reader() -> ZoneInfo | None:
    """The reader's zone; None where it is not known."""
    zone = timezone.get_current_timezone()
    return zone if isinstance(zone, ZoneInfo) and zone is not timezone.get_default_timezone() else None


@lru_cache(maxsize=1024)
def _find(name: str) -> ZoneInfo | None:
    # Not the interpreter's own object: a reader whose zone is known to be UTC differs from an unknown one.
    return ZoneInfo.no_cache(name) if name in _names() else None


@lru_cache(maxsize=1)
def _names() -> frozenset[str]:
    return frozenset(available_timezones())
