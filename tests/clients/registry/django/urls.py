"""A project that joins includes one module."""

from django.urls import include, path

urlpatterns = [path("rollcall/", include("registry.client.django.urls"))]
