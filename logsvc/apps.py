"""The log service's Django app."""

from functools import cached_property
from typing import TYPE_CHECKING

from django.apps import AppConfig

from logsvc import feedback

if TYPE_CHECKING:
    from logsvc.storage.interface import Store


class LogsvcApp(AppConfig):
    """Owns this process's store of records."""

    name = "logsvc"
    label = "logsvc"
    verbose_name = "Log service"

    def ready(self) -> None:
        feedback.install()

    @cached_property
    def store(self) -> "Store":
        # Not before the apps are loaded: it uses what they have.
        from logsvc.storage import current

        return current.connect()
