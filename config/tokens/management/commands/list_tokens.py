"""Show the tokens, without their secret part."""

from argparse import ArgumentParser
from typing import Any

from config import commands
from config.tokens.models import Token


class Command(commands.Command):
    help = "List the tokens: name, first characters, scopes, when made and revoked."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true")

    def run(self, **options: Any) -> None:
        tokens = Token.objects.all()
        if options["json"]:
            self.print_json([_as_json(token) for token in tokens])
            return
        rows = [
            [token.name, f"{token.prefix}…", " ".join(token.scopes), "revoked" if token.revoked_at else "valid"]
            for token in tokens
        ]
        self.print_table(["NAME", "TOKEN", "SCOPES", "STATE"], rows)


def _as_json(token: Token) -> dict[str, Any]:
    return {
        "name": token.name,
        "prefix": token.prefix,
        "scopes": token.scopes,
        "created_at": token.created_at.isoformat(),
        "revoked_at": token.revoked_at and token.revoked_at.isoformat(),
    }
