"""The grading service's Django app."""

import threading
from typing import Any

from django.apps import AppConfig


class GradingApp(AppConfig):
    name = "grading"
    label = "grading"

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        # Held while a document is made, which takes a processor for a fifth of a second and more.
        self.making_a_document = threading.Lock()
