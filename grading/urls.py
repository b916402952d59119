"""The grading service's addresses."""

from django.urls import include, path
from django.views.generic import RedirectView

from config.admin import site as admin_site
from grading.api import urls as api

handler400 = "config.problems.bad_request"
handler404 = "config.problems.not_found"
handler500 = "config.problems.server_error"

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("admin/", include(admin_site.urls())),
    path("v1/", include("grading.api.urls")),
    # As the system that this one follows had them.
    *api.plain,
    path("rollcall/", include("registry.client.django.urls")),
]
