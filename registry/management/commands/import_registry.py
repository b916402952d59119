"""Register what export_registry wrote."""

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.utils import timezone

from config import commands
from config.commands import Report
from config.problems import Invalid
from registry.instances import backup

AUTHOR = "command line"


class Command(commands.Reporting):
    help = "Register the contents of a file, all of it or nothing. Safe to repeat. Example: import_registry r.json"

    member_names = {"/": "The file"}

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", help="made by export_registry; - for standard input")

    def report(self, **options: Any) -> Report:
        name = options["file"]
        try:
            content = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
        except OSError as error:
            raise Invalid(f"The file {name} cannot be read: {error.strerror}.") from error
        counts = backup.restore(content, author=AUTHOR, now=timezone.now())
        return Report(lines=[", ".join(f"{count} {what}" for what, count in counts.items()) + "."], body=counts)
