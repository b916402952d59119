"""The registry's addresses: the API, the admin, health."""

from django.urls import include, path
from django.views.generic import RedirectView

from config.admin import site as admin_site
from registry.admin.settings import SettingsView
from registry.api import health, metrics

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("v1/", include("registry.api.urls")),
    path("admin/", include(admin_site.urls(settings_view=SettingsView))),
    path("metrics", metrics.metrics),
    path("readyz", health.readyz),
]

handler400 = "config.problems.bad_request"
handler404 = "config.problems.not_found"
handler500 = "config.problems.server_error"
