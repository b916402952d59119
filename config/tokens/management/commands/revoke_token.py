"""Make a token useless from now on."""

from argparse import ArgumentParser
from typing import Any

from django.utils import timezone

from config import commands
from config.tokens import issuing


class Command(commands.Command):
    help = "Revoke a token: requests that carry it are refused from now on. Example: revoke_token ci"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name")

    def run(self, **options: Any) -> None:
        issuing.revoke(name=options["name"], now=timezone.now())
        self.stderr.write(f"The token {options['name']!r} is revoked.")
