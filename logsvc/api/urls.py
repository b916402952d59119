"""The addresses under /v1/."""

from django.urls import path

from logsvc.api import views

urlpatterns = [
    path("records", views.RecordsView.as_view()),
    path("services", views.ServicesView.as_view()),
]
