"""One small Django project behind each way of serving it; bench_serving.py starts granian on them.

The views are those of design idea 6: a small JSON answer, one with a raw query, one through REST framework's
serializers. `/bytes` is answered before Django.
"""

import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import django
from django.conf import settings
from django.db import connection
from django.http import HttpRequest, JsonResponse
from django.urls import path

THREADS = 8
BODY = b'{"revision":7,"services":[]}'
HEADERS = ((b"content-type", b"application/json"),)

settings.configure(
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    SECRET_KEY="only-for-the-benchmark",
    MIDDLEWARE=["django.middleware.security.SecurityMiddleware", "django.middleware.common.CommonMiddleware"],
    INSTALLED_APPS=["rest_framework"],
    REST_FRAMEWORK={
        "DEFAULT_AUTHENTICATION_CLASSES": [],
        "DEFAULT_PERMISSION_CLASSES": [],
        "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
        "UNAUTHENTICATED_USER": None,
    },
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": Path(tempfile.mkdtemp(prefix="rollcall-bench-")) / "db.sqlite3",
            "CONN_MAX_AGE": None,
        }
    },
    USE_TZ=True,
)
django.setup()

from a2wsgi import WSGIMiddleware  # noqa: E402 -- Django wants its settings first
from django.core.asgi import get_asgi_application  # noqa: E402 -- Django wants its settings first
from django.core.wsgi import get_wsgi_application  # noqa: E402 -- Django wants its settings first
from rest_framework import serializers  # noqa: E402 -- Django wants its settings first
from rest_framework.request import Request  # noqa: E402 -- Django wants its settings first
from rest_framework.response import Response  # noqa: E402 -- Django wants its settings first
from rest_framework.views import APIView  # noqa: E402 -- Django wants its settings first

from config.hybrid import Handler, Hybrid, Receive, Scope, Send, respond  # noqa: E402 -- Django wants its settings first
from config.problems import RawResponse  # noqa: E402 -- Django wants its settings first

ROWS = [{"service": f"service-{n}", "name": f"i-{n}", "url": f"http://10.0.0.{n}", "weight": n} for n in range(10)]


class RowSerializer(serializers.Serializer[Any]):
    service = serializers.CharField()
    name = serializers.CharField()
    url = serializers.URLField()
    weight = serializers.IntegerField()


class Rows(APIView):
    def get(self, request: Request) -> Response:
        return Response(RowSerializer(ROWS, many=True).data)


def show_json(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"revision": 7, "services": []})


def show_query(request: HttpRequest) -> JsonResponse:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 7")
        return JsonResponse({"revision": cursor.fetchone()[0]})


urlpatterns = [path("json", show_json), path("query", show_query), path("serializer", Rows.as_view())]


async def _bytes(scope: Scope, receive: Receive, send: Send) -> None:
    await respond(send, RawResponse(status=200, headers=HEADERS, body=BODY))


def _lane(scope: Scope) -> Handler | None:
    return _bytes if scope["path"] == "/bytes" else None


def wsgi(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    if environ["PATH_INFO"] == "/bytes":
        start_response("200 OK", [("content-type", "application/json"), ("content-length", str(len(BODY)))])
        return [BODY]
    return _django(environ, start_response)


def _before(application: Any) -> Handler:
    """The lane in front of another ASGI application."""

    async def laned(scope: Scope, receive: Receive, send: Send) -> None:
        await (_lane(scope) or application)(scope, receive, send)

    return laned


_django = get_wsgi_application()
asgi = _before(get_asgi_application())
hybrid = Hybrid(_django, lanes=[_lane], threads=THREADS, body_limit_bytes=2**20)
_bridge: Any = WSGIMiddleware
a2wsgi = _before(_bridge(_django, workers=THREADS))
