"""Register what export_registry wrote."""

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.utils import timezone

from config import commands
from config.problems import Invalid
from registry import archive

AUTHOR = "command line"


class Command(commands.Command):
    help = "Register what a file holds, all of it or nothing; again it changes nothing. Example: import_registry r.json"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", help="made by export_registry; - for standard input")

    def run(self, **options: Any) -> None:
        counts = archive.restore(_read(options["file"]), author=AUTHOR, now=timezone.now())
        self.stdout.write(", ".join(f"{count} {what}" for what, count in counts.items()) + ".")


def _read(name: str) -> bytes:
    try:
        return sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    except OSError as error:
        raise Invalid(f"The file {name} cannot be read: {error.strerror}.") from error
