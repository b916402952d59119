"""Show the tokens, without their secret part."""

from argparse import ArgumentParser
from datetime import datetime
from typing import Any

from config import commands
from config.tokens.models import Token
from config.tokens.representation import token_body


class Command(commands.Command):
    help = "List the tokens: name, first characters, scopes, when made and revoked. Example: list_tokens --json"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true")

    def run(self, **options: Any) -> None:
        tokens = Token.objects.all()
        if options["json"]:
            self.print_json([token_body(token) for token in tokens])
            return
        self.print_table(["NAME", "TOKEN", "SCOPES", "MADE", "STATE"], [_as_row(token) for token in tokens])


def _as_row(token: Token) -> list[str]:
    state = f"revoked {_minute(token.revoked_at)}" if token.revoked_at else "valid"
    return [token.name, f"{token.prefix}…", " ".join(token.scopes), _minute(token.created_at), state]


def _minute(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
