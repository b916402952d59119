"""A Django project joins the registry: one app, one settings block, one include.

In this directory, with a token for `read` and `register:library`:

    export REGISTRY_URL=http://127.0.0.1:8001 REGISTRY_TOKEN=rct_... SECRET_KEY=any-long-secret
    gunicorn django_app:application --bind 127.0.0.1:9103
"""

import os
from pathlib import Path

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, JsonResponse
from django.urls import include, path

from registry.client.django import discovery

settings.configure(
    SECRET_KEY=os.environ["SECRET_KEY"],
    ALLOWED_HOSTS=["127.0.0.1"],
    ROOT_URLCONF=__name__,
    INSTALLED_APPS=["registry.client.django"],
    ROLLCALL={
        "REGISTRY_URL": os.environ["REGISTRY_URL"],
        "TOKEN": os.environ["REGISTRY_TOKEN"],
        "SERVICE": "library",
        "INSTANCE": "library-1",
        "URL": f"http://127.0.0.1:{os.environ.get('PORT', '9103')}",
        "REQUIRES": ["grading"],
        "STATE_DIR": Path(os.environ.get("STATE_DIR", "var/client")),
    },
)


def index(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"grading": [provider.url for provider in discovery.instances("grading")]})


def healthz(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"status": "ok"})


urlpatterns = [
    path("", index),
    path("healthz", healthz),
    path("rollcall/", include("registry.client.django.urls")),
]
application = get_wsgi_application()
