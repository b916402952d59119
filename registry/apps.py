"""The registry's Django app."""

from functools import cached_property

from celery import current_app
from django.apps import AppConfig

from registry import redis_client
from registry.wakeups import Wakeups


class RegistryApp(AppConfig):
    name = "registry"
    label = "registry"

    @cached_property
    def wakeups(self) -> Wakeups:
        """This process's; its connections are opened when they are first needed."""
        return Wakeups(redis_client.connect(), send_task=lambda name, **options: current_app.send_task(name, **options))
