"""The addresses of records; the tail is a lane (logsvc/api/tail.py)."""

from django.urls import path, register_converter

from logsvc.api import views


class Digits:
    """ASCII digits alone: Django's own also takes other alphabets'."""

    regex = "[0-9]+"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(Digits, "digits")

urlpatterns = [
    path("api/v1/logs", views.LogsView.as_view()),
    path("api/v1/logs/histogram", views.HistogramView.as_view()),
    path("api/v1/logs/facets", views.FacetsView.as_view()),
    path("api/v1/logs/<digits:identifier>", views.RecordView.as_view()),
    path("api/v1/logs/<digits:identifier>/context", views.ContextView.as_view()),
    path("api/v1/logs/arrivals", views.ArrivalsView.as_view()),
    path("api/v1/services", views.ServicesView.as_view()),
    path("v1/logs", views.IngestView.as_view()),
    path("loki/api/v1/push", views.IngestView.as_view()),
    path("log", views.IngestView.as_view()),
    path("v1/records", views.FirstReleaseView.as_view()),
    path("v1/services", views.ServicesView.as_view()),
]
