"""Export a course's gradebook."""

import sys
from argparse import ArgumentParser
from typing import Any

from config import commands
from grading.files import canvas, oneroster, sources
from grading.management import imports


class Command(commands.Command):
    help = (
        "Export a course's gradebook as Canvas's CSV or as a OneRoster bundle. "
        "Example: export_gradebook algebra-1 grades.csv"
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("course", help="the course's code")
        parser.add_argument("file", help="where to write it, or - for standard output")
        parser.add_argument("--format", choices=("canvas", "oneroster"), default="canvas")

    def run(self, **options: Any) -> None:
        course = imports.find_course(options["course"])
        if options["format"] == "canvas":
            content = canvas.export(course=course).encode("utf-8-sig")
        else:
            content = oneroster.export(course=course)
        if options["file"] == "-":
            self.stdout.flush()
            sys.stdout.buffer.write(content)
            return
        sources.write(options["file"], content)
        self.stdout.write(f"Wrote {len(content)} bytes to {options['file']}.")
