"""The grading service's Django app."""

from django.apps import AppConfig


class GradingApp(AppConfig):
    name = "grading"
    label = "grading"
