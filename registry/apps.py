"""The registry's Django app."""

from django.apps import AppConfig


class RegistryApp(AppConfig):
    name = "registry"
    label = "registry"
