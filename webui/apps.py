"""The web UI: pages over what the other services keep; of its own it keeps only accounts and sessions."""

from django.apps import AppConfig


class WebuiApp(AppConfig):
    name = "webui"
    label = "webui"
