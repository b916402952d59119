"""The addresses of every service's admin: its models' pages, and the pages that all services have."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, path
from django.views.generic import View

from config.admin.sessions import EndSessionsView, SessionsView
from config.admin.settings import SettingsView
from config.admin.two_step import TwoStepView


def urls(*, settings_view: type[View] = SettingsView) -> list[URLPattern | URLResolver]:
    """The admin's addresses, to be included below settings.ADMIN_PATH. Imports the admin modules, which only a process
    that serves needs.
    """
    admin.autodiscover()

    def page(route: str, view: type[View], name: str) -> URLPattern:
        return path(route, admin.site.admin_view(view.as_view()), name=name)

    return [
        page("two-step/", TwoStepView, "admin-two-step"),
        page("sessions/", SessionsView, "admin-sessions"),
        page("sessions/<int:number>/end/", EndSessionsView, "admin-end-sessions"),
        page("settings/", settings_view, "admin-settings"),
        path("", admin.site.urls),
    ]
