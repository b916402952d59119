"""Import a file of grades."""

from argparse import ArgumentParser
from typing import Any

from config import commands
from grading import importing
from grading.management import imports


class Command(commands.Reporting):
    help = (
        "Import grades into a course from a CSV file, Canvas's or plain. "
        "Example: import_grades algebra-1 grades.csv --dry-run"
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        imports.add_arguments(parser)
        parser.add_argument("--clear-blanks", action="store_true", help="let a blank take a score away")
        parser.add_argument("--separator", help="what separates the columns, where the guess is wrong")
        parser.add_argument(
            "--confirmed", action="store_true", help="store scores of more than ten times the points, too"
        )

    def report(self, **options: Any) -> commands.Report:
        read = imports.options_of(options, importing.GRADES)
        batch, actor = imports.preview(options["course"], options["file"], read, command="import_grades")
        if not options["dry_run"]:
            batch = imports.confirm(batch, actor, skips_faults=options["skip_faults"], confirmed=options["confirmed"])
        lines = [
            f"{each['name']}, assignment {each['assignment']}: {_words(each['old'])} -> {_words(each['new'])}"
            for each in batch.preview["changes"]
        ]
        lines += [
            f"column {each['header']!r} is ignored: {each['why']}"
            for each in batch.preview["columns"]
            if each["meaning"] == "ignored" and each["header"]
        ]
        lines += [f"row {each['line']}: {each['detail']}" for each in batch.preview["unknown"]]
        return imports.report(batch, lines, is_dry_run=options["dry_run"])


def _words(content: dict[str, Any]) -> str:
    shown = content["score"] or "blank"
    return shown if content["status"] == "none" else f"{shown} ({content['status']})"
