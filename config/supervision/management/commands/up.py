"""Run the whole system until told to stop."""

import sys
from typing import Any

from django.core.management import CommandError

from config import commands
from config.supervision import display, system
from config.supervision.obstacles import Obstacle


class Command(commands.Command):
    help = "Start Redis, the four services, their workers and beat, and keep them running until Ctrl-C or SIGTERM."

    def run(self, **options: Any) -> None:
        screen = display.on(sys.stdout)
        try:
            is_clean = system.run(screen)
        except Obstacle as obstacle:
            screen.clear()
            raise CommandError(str(obstacle), returncode=1) from obstacle
        if not is_clean:
            sys.exit(1)
