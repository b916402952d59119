"""The registry's Django app."""

from functools import cached_property

from django.apps import AppConfig
from django.conf import settings

from registry import redis_client
from registry.wakeups import Wakeups


class RegistryApp(AppConfig):
    name = "registry"
    label = "registry"

    @cached_property
    def wakeups(self) -> Wakeups:
        """This process's wake-ups; connections are opened when first needed."""
        return Wakeups(redis_client.Line(settings.REDIS_URL))
