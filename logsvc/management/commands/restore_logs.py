"""Bring archived records back into the store."""

import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from config import commands
from logsvc import archive


class Command(commands.Command):
    help = "Store archived records again, each once. Without FILE: list the archive's files."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("files", nargs="*", type=Path, metavar="FILE")
        parser.add_argument("--service", default="", help="only list this service's files")

    def run(self, **options: Any) -> None:
        if not options["files"]:
            for path in archive.files(options["service"]):
                self.stdout.write(f"{path}  {path.stat().st_size:,} bytes")
            return
        for path in options["files"]:
            if not path.is_file():
                raise CommandError(f"{path} is no file: run restore_logs without a file to list the archive.")
            self.stdout.write(f"{path}: {archive.restore(path, received_ns=time.time_ns())} records came back.")
