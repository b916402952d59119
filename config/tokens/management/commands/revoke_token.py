"""Revoke a token."""

from argparse import ArgumentParser
from typing import Any

from django.utils import timezone

from config import commands
from config.commands import Report
from config.tokens import issuing
from config.tokens.representation import token_body


class Command(commands.Reporting):
    help = "Revoke a token: requests that carry it are refused from now on. Example: revoke_token ci"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name")

    def report(self, **options: Any) -> Report:
        token = issuing.revoke(name=options["name"], now=timezone.now())
        return Report(lines=[f"The token {token.name!r} is revoked."], body=token_body(token))
