"""Show the tokens, without their secret part."""

from argparse import ArgumentParser
from datetime import datetime
from typing import Any

from django.utils import timezone

from config import commands
from config.tokens import state
from config.tokens.models import Token
from config.tokens.representation import token_body


class Command(commands.Command):
    help = "List the tokens with their scopes, last use and state. Example: list_tokens --json"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true")

    def run(self, **options: Any) -> None:
        if options["json"]:
            self.print_json([token_body(token) for token in Token.objects.all()])
            return
        rows = []
        for token in Token.objects.all():
            used = _minute(token.last_used_at) if token.last_used_at else "-"
            word, until = state.of(token, now=timezone.now()), token.revoked_at or token.expires_at
            if until:
                word = f"{'valid until' if word == state.VALID else word} {_minute(until)}"
            scopes = " ".join(token.scopes)
            rows.append([token.name, f"{token.prefix}…", scopes, _minute(token.created_at), used, word])
        header = ["NAME", "TOKEN", "SCOPES", "CREATED", "LAST USED", "STATE"]
        self.print_table(header, rows)


def _minute(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
