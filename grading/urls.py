"""The grading service's addresses."""

from django.urls import include, path

handler400 = "config.problems.bad_request"
handler404 = "config.problems.not_found"
handler500 = "config.problems.server_error"

urlpatterns = [
    path("v1/", include("grading.api.urls")),
    path("rollcall/", include("registry.client.django.urls")),
]
