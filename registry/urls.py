"""The registry's addresses: the API, the admin, health."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from registry.api import health, metrics

admin.autodiscover()
urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("v1/", include("registry.api.urls")),
    path("admin/", admin.site.urls),
    path("metrics", metrics.metrics),
    path("readyz", health.readyz),
]

handler400 = "config.problems.bad_request"
handler404 = "config.problems.not_found"
handler500 = "config.problems.server_error"
