"""The app with the commands that every service has."""

import atexit
import gc
from importlib import import_module

from django.apps import AppConfig

from config.attempts import Attempts


class ConfigApp(AppConfig):
    """Owns the attempts to sign in that this process has counted."""

    name = "config"
    label = "config"
    attempts: "Attempts"

    def ready(self) -> None:
        self.attempts = Attempts()
        # Makes this service's Celery application the current one in every process, so that tasks are sent to it.
        import_module("config.celery")
        # At the end of a process the interpreter collects garbage several times: half a second for each of ten
        # processes that all stop at once, to free what the kernel frees anyway.
        atexit.register(gc.freeze)
