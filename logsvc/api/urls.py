"""The addresses of records; the tail is a lane (logsvc/api/tail.py)."""

from django.urls import path, register_converter

from logsvc.api import alerts, loki, openapi, views


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
    path("api/v1/searches", alerts.SearchesView.as_view()),
    path("api/v1/searches/<digits:identifier>", alerts.SearchView.as_view()),
    path("api/v1/rules", alerts.RulesView.as_view()),
    path("api/v1/rules/<digits:identifier>", alerts.RuleView.as_view()),
    path("api/v1/rules/<digits:identifier>/test", alerts.RuleTestView.as_view()),
    path("api/v1/services", views.ServicesView.as_view()),
    path("v1/logs", views.IngestView.as_view()),
    path("loki/api/v1/push", views.IngestView.as_view()),
    path("loki/api/v1/query_range", loki.QueryRangeView.as_view()),
    path("loki/api/v1/query", loki.QueryView.as_view()),
    path("loki/api/v1/labels", loki.LabelsView.as_view()),
    path("loki/api/v1/label", loki.LabelsView.as_view()),
    path("loki/api/v1/label/<str:name>/values", loki.LabelValuesView.as_view()),
    path("loki/api/v1/series", loki.SeriesView.as_view()),
    path("loki/api/v1/index/stats", loki.StatsView.as_view()),
    path("loki/api/v1/status/buildinfo", loki.BuildInfoView.as_view()),
    path("log", views.IngestView.as_view()),
    path("v1/records", views.FirstReleaseView.as_view()),
    path("v1/openapi.json", openapi.DescriptionView.as_view()),
    path("v1/services", views.ServicesView.as_view()),
]
