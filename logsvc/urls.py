"""The log service's addresses: records in and out, the admin, and what the registry calls."""

from django.urls import include, path

from config.admin import site as admin_site

urlpatterns = [
    path("", include("logsvc.api.urls")),
    path("admin/", include(admin_site.urls())),
    path("rollcall/", include("registry.client.django.urls")),
]

handler400 = "config.problems.bad_request"
handler404 = "config.problems.not_found"
handler500 = "config.problems.server_error"
