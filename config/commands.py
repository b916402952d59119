"""Base of all commands: an error that the caller can fix is one sentence on stderr and exit code 2."""

import json
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, NoReturn

from django.conf import settings
from django.core.management import CommandError, ManagementUtility, get_commands
from django.core.management.base import BaseCommand, CommandParser, handle_default_options
from django.db import DatabaseError, connections

from config import escaping
from config.problems import Invalid, Problem, Unavailable
from config.services import SERVICES

# The command was tried and failed; the same may succeed later.
FAILED = 1
USAGE = 2
# A table's cell that is wider than this does not widen its column, only its own line.
WIDEST_COLUMN = 50


class Command(BaseCommand):
    """A subclass writes `run`; a Problem it raises becomes its sentence, without a traceback."""

    requires_system_checks: Any = []
    # Options that may hold any bytes, such as another program's arguments; all others are text.
    raw_options: frozenset[str] = frozenset()
    # For each member that a Problem may point to, the option's name.
    member_names: Mapping[str, str] = {}
    # Options whose value may begin with a minus, such as the time -1h, which argparse takes for an option.
    signed_options: frozenset[str] = frozenset()
    # The exit code for a wrong command line.
    usage_code = USAGE

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        # Without abbreviations: `--force` would be taken for Django's `--force-color`.
        return super().create_parser(prog_name, subcommand, allow_abbrev=False, **kwargs)

    def run_from_argv(self, argv: list[str]) -> None:
        """Run as Django does, but print an error's sentence alone, without usage or the name of a class."""
        parser = self.create_parser(argv[0], argv[1])
        try:
            parsed = parser.parse_args(_with_signed_values(argv[2:], self.signed_options))
        except CommandError as error:
            message = str(error).removeprefix("Error: ")
            refuse(
                f"{message[:1].upper()}{message[1:]}: {parser.prog} --help says what it takes.", code=self.usage_code
            )
        handle_default_options(parsed)
        options = vars(parsed)
        try:
            self.execute(*options.pop("args", ()), **options)
        except CommandError as error:
            if options["traceback"]:
                raise
            refuse(str(error), code=error.returncode)
        finally:
            connections.close_all()

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            for name, value in options.items():
                words = value if isinstance(value, list) else [value]
                for word in () if name in self.raw_options else words:
                    # Arguments that are no UTF-8 reach Python as lone surrogates, which JSON and databases refuse.
                    if isinstance(word, str) and any("\ud800" <= character <= "\udfff" for character in word):
                        raise Invalid(f"{word!a} is not UTF-8 text: use UTF-8.")
            self.run(**options)
        except Problem as problem:
            code = FAILED if isinstance(problem, Unavailable) else USAGE
            raise CommandError(_sentence(problem, self.member_names), returncode=code) from problem
        except DatabaseError as error:
            raise CommandError(database_trouble(error), returncode=USAGE) from error
        except BrokenPipeError:
            sys.exit(0)

    def run(self, **options: Any) -> None:
        raise CommandError("This command does nothing.")

    def print_table(self, header: list[str], rows: list[list[str]]) -> None:
        shown = [[escaping.visible(cell) for cell in row] for row in rows]
        widths = [min(WIDEST_COLUMN, max(map(len, column))) for column in zip(header, *shown, strict=True)]
        for row in (header, *shown):
            line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
            self.stdout.write(line.rstrip())

    def print_json(self, value: Any) -> None:
        self.stdout.write(json.dumps(value, indent=2, default=str))


@dataclass(frozen=True, kw_only=True)
class Report:
    """The outcome of a command: `lines` for people, `body` for scripts, and a sentence when it failed.

    `exit_code` is for a command whose exit code is its answer.
    """

    lines: Iterable[str]
    body: Any
    failure: str = ""
    exit_code: int = 0


class Reporting(Command):
    """A subclass writes `report`, which does the work; with --json its body is printed, else its lines, escaped."""

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        parser = super().create_parser(prog_name, subcommand, **kwargs)
        parser.add_argument("--json", action="store_true", help="print what was done as JSON")
        return parser

    def run(self, **options: Any) -> None:
        report = self.report(**options)
        if options["json"]:
            self.print_json(report.body)
        else:
            self.stdout.writelines(f"{escaping.visible(line)}\n" for line in report.lines)
        if report.failure:
            raise CommandError(report.failure, returncode=FAILED)
        if report.exit_code:
            sys.exit(report.exit_code)

    def report(self, **options: Any) -> Report:
        raise CommandError("This command does nothing.")


class Utility(ManagementUtility):
    """manage.py for one service; `argv[0]` is how it was called, including the service."""

    def main_help_text(self, commands_only: bool = False) -> str:
        listed = super().main_help_text(commands_only)
        if commands_only or self.settings_exception is not None:
            return listed
        services = ", ".join(SERVICES)
        return (
            f"./manage.py [service] <command>, the service being one of {services}; ./manage.py up runs all.\n{listed}"
        )

    def fetch_command(self, subcommand: str) -> BaseCommand:
        if self.settings_exception is not None:
            refuse(str(self.settings_exception))
        if subcommand not in get_commands():
            alike = get_close_matches(subcommand, [*get_commands(), *SERVICES], n=1)
            meant = f"did you mean {alike[0]!r}? Else " if alike else ""
            known = f"{meant}{self.prog_name} help lists what there is."
            refuse(f"There is neither a command nor a service {subcommand!r}: {known}")
        return super().fetch_command(subcommand)


def refuse(sentence: str, *, code: int = USAGE) -> NoReturn:
    """Print the sentence on stderr and exit."""
    sys.stderr.write(f"{escaping.visible(' '.join(sentence.split()))}\n")
    sys.exit(code)


def _with_signed_values(arguments: list[str], options: frozenset[str]) -> list[str]:
    """The arguments with `--option=value` for each of these options that stands before its value."""
    joined: list[str] = []
    for word in arguments:
        if joined and joined[-1] in options:
            joined[-1] = f"{joined[-1]}={word}"
        else:
            joined.append(word)
    return joined


def _sentence(problem: Problem, names: Mapping[str, str]) -> str:
    """The problem in words: its detail, or its errors where the detail only points to them."""
    details = []
    for entry in problem.errors or []:
        if entry["detail"] == problem.detail:
            continue
        pointer = entry["pointer"]
        # The option's name for that member or for one that holds it.
        option = next((name for member, name in names.items() if f"{pointer}/".startswith(f"{member}/")), pointer)
        details.append(f"{option}: {entry['detail']}")
    return " ".join(details if "See `errors`" in problem.detail else [problem.detail, *details])


def database_trouble(error: DatabaseError) -> str:
    service = settings.SERVICE
    reason = " ".join(str(error).split()) or type(error).__name__
    lacks_tables = "no such table" in reason or "does not exist" in reason
    remedy = f"run ./manage.py {service.name} prepare" if lacks_tables else "mend that"
    variable = f"{service.variable_prefix}_DATABASE_URL"
    return f"The database of {service.name} cannot be used ({reason}): {remedy}, or set {variable} to another."
