"""Have nobody go on from what a restored database does not hold."""

from typing import Any

from config import commands
from registry import replay


class Command(commands.Command):
    help = (
        "After the database was restored from a copy: no answer that was given before counts as unchanged, and every "
        "dependent that takes webhooks is told to ask for the whole. Example: begin_history"
    )

    def run(self, **options: Any) -> None:
        count = replay.begin_history()
        self.stdout.write(f"The journal has a history of its own; {count} dependents are told to ask for the whole.")
