"""The app that holds the commands every service has."""

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
        # As a process ends, the interpreter looks through every object for garbage, again and again: half a second of
        # work for each of ten processes that all stop at once, to give back what the kernel takes anyway.
        atexit.register(gc.freeze)
