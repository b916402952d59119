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
        tokens = Token.objects.all()
        if options["json"]:
            self.print_json([token_body(token) for token in tokens])
            return
        now = timezone.now()
        header = ["NAME", "TOKEN", "SCOPES", "CREATED", "LAST USED", "STATE"]
        self.print_table(header, [_as_row(token, now=now) for token in tokens])


def _as_row(token: Token, *, now: datetime) -> list[str]:
    used = _minute(token.last_used_at) if token.last_used_at else "-"
    scopes = " ".join(token.scopes)
    return [token.name, f"{token.prefix}…", scopes, _minute(token.created_at), used, _state(token, now=now)]


def _minute(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def _state(token: Token, *, now: datetime) -> str:
    word, until = state.of(token, now=now), token.revoked_at or token.expires_at
    return f"{'valid until' if word == state.VALID else word} {_minute(until)}" if until else word
