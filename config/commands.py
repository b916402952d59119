"""The base of every management command: one sentence on stderr and exit code 2 for what the caller can mend."""

import json
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from config.problems import Problem


class Command(BaseCommand):
    """A subclass writes `run`; a Problem it raises becomes its sentence, without a traceback."""

    requires_system_checks: Any = []

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            self.run(**options)
        except Problem as problem:
            details = [f"{entry['pointer']}: {entry['detail']}" for entry in problem.errors or []]
            raise CommandError(" ".join([problem.detail, *details]), returncode=2) from problem
        except BrokenPipeError:
            sys.exit(0)

    def run(self, **options: Any) -> None:
        raise CommandError("This command does nothing.")

    def print_table(self, header: list[str], rows: list[list[str]]) -> None:
        widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
        for row in (header, *rows):
            line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
            self.stdout.write(line.rstrip())

    def print_json(self, value: Any) -> None:
        self.stdout.write(json.dumps(value, indent=2, default=str))
