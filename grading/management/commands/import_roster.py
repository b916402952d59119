"""Import a file of people."""

from argparse import ArgumentParser
from typing import Any

from config import commands
from grading import importing
from grading.management import imports


class Command(commands.Reporting):
    help = "Enrol the people of a CSV file in a course. Example: import_roster algebra-1 people.csv --dry-run"

    def add_arguments(self, parser: ArgumentParser) -> None:
        imports.add_arguments(parser)

    def report(self, **options: Any) -> commands.Report:
        read = imports.options_of(options, importing.ROSTER)
        batch, actor = imports.preview(options["course"], options["file"], read, command="import_roster")
        if not options["dry_run"]:
            batch = imports.confirm(batch, actor, skips_faults=options["skip_faults"], confirmed=True)
        lines = [
            f"{each['username']} ({each['name']}), {each['role']}: {each['action']}" for each in batch.preview["people"]
        ]
        lines += [f"new section: {title}" for title in batch.preview["new_sections"]]
        return imports.report(batch, lines, is_dry_run=options["dry_run"])
