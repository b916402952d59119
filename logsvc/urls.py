"""The log service's addresses: the API, plain text, and what the registry calls."""

from django.urls import include, path

from logsvc.api import views

urlpatterns = [
    path("v1/", include("logsvc.api.urls")),
    path("log", views.LogView.as_view()),
    path("rollcall/", include("registry.client.django.urls")),
]

handler400 = "config.problems.bad_request"
handler404 = "config.problems.not_found"
handler500 = "config.problems.server_error"
