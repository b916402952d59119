"""`/metrics`, without a token as is usual; it names no instance."""

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from prometheus_client import CONTENT_TYPE_LATEST

from registry.api.exposition import exposition


def metrics(request: HttpRequest) -> HttpResponse:
    return HttpResponse(exposition(now=timezone.now()), content_type=CONTENT_TYPE_LATEST)
