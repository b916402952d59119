"""The app that holds the commands every service has."""

import atexit
import gc
from importlib import import_module

from django.apps import AppConfig


class ConfigApp(AppConfig):
    name = "config"
    label = "config"

    def ready(self) -> None:
        # Makes this service's Celery application the current one in every process, so that tasks are sent to it.
        import_module("config.celery")
        # As a process ends, the interpreter looks through every object for garbage, again and again: half a second of
        # work for each of ten processes that all stop at once, to give back what the kernel takes anyway.
        atexit.register(gc.freeze)
