"""Make a token and print it, once, alone on stdout."""

from argparse import ArgumentParser
from typing import Any

from config import commands
from config.tokens import issuing


class Command(commands.Command):
    help = "Make a token and print it, once: only its hash is kept. Example: create_token ci --scope read"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="what the token is known by in lists and in the journal")
        scopes = f"one of {issuing.allowed_scopes()}; may be repeated"
        parser.add_argument("--scope", action="append", default=[], dest="scopes", metavar="SCOPE", help=scopes)

    def run(self, **options: Any) -> None:
        self.stdout.write(issuing.create(name=options["name"], scopes=options["scopes"]))
