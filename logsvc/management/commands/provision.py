"""Make the log service know the tokens of this system's services."""

from typing import Any

from django.conf import settings

from config import commands
from config.tokens import issuing

# Those that show records to people, besides writing their own.
_READERS = frozenset({"webui"})


class Command(commands.Command):
    help = "Make the tokens with which this system's services log known to the log service. Idempotent."

    def run(self, **options: Any) -> None:
        for service, token in settings.SERVICE_TOKENS.items():
            scopes = ["read", "write"] if service in _READERS else ["write"]
            issuing.ensure(name=service, scopes=scopes, token=token)
