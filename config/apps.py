"""The app that holds the commands every service has."""

from importlib import import_module

from django.apps import AppConfig


class ConfigApp(AppConfig):
    name = "config"
    label = "config"

    def ready(self) -> None:
        # Makes this service's Celery application the current one in every process, so that tasks are sent to it.
        import_module("config.celery")
