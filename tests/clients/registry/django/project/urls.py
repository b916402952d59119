import os

from django.http import HttpRequest, JsonResponse
from django.urls import include, path

from registry.client.django import discovery


def index(request: HttpRequest) -> JsonResponse:
    urls = [provider.url for provider in discovery.instances("grading")]
    return JsonResponse({"worker": os.getpid(), "grading": urls})


def healthz(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"status": "ok"})


urlpatterns = [
    path("", index),
    path("healthz", healthz),
    path("rollcall/", include("registry.client.django.urls")),
]
