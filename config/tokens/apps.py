"""Bearer tokens, taken the same way by every service that has an API; each service keeps its own."""

from django.apps import AppConfig


class TokensApp(AppConfig):
    name = "config.tokens"
    label = "tokens"
