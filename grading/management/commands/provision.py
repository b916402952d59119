"""Make the tokens of this system's other services known here."""

from typing import Any

from django.conf import settings

from config import commands
from config.tokens import issuing


class Command(commands.Command):
    help = "Make known the token with which the web UI acts for people; again changes nothing. Example: provision"

    def run(self, **options: Any) -> None:
        issuing.ensure(name="webui", scopes=["read", "write", "act-for"], token=settings.WEBUI_TOKEN)
