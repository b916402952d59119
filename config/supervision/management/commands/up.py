"""Run the whole system until told to stop."""

import sys
from typing import Any

from django.core.management import CommandError

from config import commands
from config.supervision import display, system
from config.supervision.obstacles import Obstacle
from config.supervision.process import Process


class Command(commands.Command):
    help = "Start Redis, the four services, their workers and beat, and keep them running until Ctrl-C or SIGTERM."
    # Forked before there was a command: see config/supervision/utility.py.
    process: Process

    def run(self, **options: Any) -> None:
        screen = display.on(sys.stdout)
        try:
            is_clean = system.run(screen, self.process)
        except Obstacle as obstacle:
            screen.clear()
            raise CommandError(str(obstacle), returncode=1) from obstacle
        if not is_clean:
            sys.exit(1)
