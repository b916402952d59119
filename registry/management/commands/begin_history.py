"""Begin a new history after the database was restored from a copy."""

from typing import Any

from config import commands
from config.commands import Report
from registry.webhooks import replay


class Command(commands.Reporting):
    help = (
        "After the database was restored from a copy: no answer that was given before counts as unchanged, and every "
        "dependent that takes webhooks is told to ask for the whole. Example: begin_history"
    )

    def report(self, **options: Any) -> Report:
        count = replay.begin_history()
        said = f"The journal has a new history; {count} dependents are asked to resync."
        return Report(lines=[said], body={"dependents": count})
