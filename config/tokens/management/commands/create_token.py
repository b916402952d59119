"""Make a token and print it, once, alone on stdout."""

import re
from argparse import ArgumentParser, ArgumentTypeError
from datetime import timedelta
from typing import Any

from django.utils import timezone

from config import commands
from config.tokens import issuing

UNITS = {"m": "minutes", "h": "hours", "d": "days"}


class Command(commands.Command):
    help = "Make a token and print it, once: only its hash is kept. Example: create_token ci --scope read"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="the token's name in lists, in the journal and in the audit log")
        scopes = f"one of {issuing.allowed_scopes()}; may be repeated"
        parser.add_argument("--scope", action="append", default=[], dest="scopes", metavar="SCOPE", help=scopes)
        parser.add_argument(
            "--expires-in", type=_duration, metavar="TIME", help="such as 30m, 12h or 90d (default: it does not expire)"
        )
        parser.add_argument(
            "--limit",
            action="append",
            default=[],
            type=_limit,
            dest="limits",
            metavar="NAME=NUMBER",
            help="a limit of its own, such as requests_per_second=50; 0 for none; may be repeated",
        )

    def run(self, **options: Any) -> None:
        lifetime = options["expires_in"]
        self.stdout.write(
            issuing.create(
                name=options["name"],
                scopes=options["scopes"],
                expires_at=timezone.now() + lifetime if lifetime else None,
                limits=dict(options["limits"]),
            )
        )


def _duration(text: str) -> timedelta:
    match = re.fullmatch(r"([0-9]{1,6})([mhd])", text)
    if match is None or int(match[1]) == 0:
        raise ArgumentTypeError(f"{text!r} is not a time such as 30m, 12h or 90d")
    return timedelta(**{UNITS[match[2]]: int(match[1])})


def _limit(text: str) -> tuple[str, int]:
    name, _, number = text.partition("=")
    if not re.fullmatch(r"[0-9]{1,9}", number):
        raise ArgumentTypeError(f"{text!r} is not a limit such as requests_per_second=50")
    return name, int(number)
