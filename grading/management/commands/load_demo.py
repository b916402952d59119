"""Load the demo course."""

from typing import Any

from django.utils import timezone

from config import commands
from grading import demo


class Command(commands.Command):
    help = "Load the course 'Algebra I' with thirty students and grades, unless it is there. Example: load_demo"

    def run(self, **options: Any) -> None:
        if demo.load(now=timezone.now()):
            self.stdout.write(f"Loaded the course {demo.COURSE.code!r}, taught by {demo.TEACHER!r}.")
        else:
            self.stdout.write(f"The course {demo.COURSE.code!r} is there already.")
