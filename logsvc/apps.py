"""The log service's Django app."""

from django.apps import AppConfig

from logsvc import feedback


class LogsvcApp(AppConfig):
    name = "logsvc"
    label = "logsvc"
    verbose_name = "Log service"

    def ready(self) -> None:
        feedback.install()
