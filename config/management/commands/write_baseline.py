"""Keep what all migrations of this service come to, for new databases."""

from argparse import ArgumentParser
from typing import Any

from django.core.management import call_command
from django.db import connection

from config import baseline, commands
from config.problems import Conflict


class Command(commands.Command):
    help = (
        "Write migrations/baseline.sql, from which a new SQLite database is made: migrate an empty one by each "
        "migration in turn and keep what comes of it. `make baselines` runs it for each service."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--check", action="store_true", help="only compare: fail where it has to be written anew")

    def run(self, **options: Any) -> None:
        if connection.vendor != "sqlite" or connection.introspection.table_names():
            raise Conflict("The database is not an empty one of SQLite: set ROLLCALL_DATA_DIR to an empty directory.")
        call_command("migrate", interactive=False, verbosity=0)
        script, path = baseline.dump(), baseline.path()
        if not options["check"]:
            path.write_text(script)
        elif not path.exists() or path.read_text() != script:
            raise Conflict(f"{path.name} is not what the migrations come to: run make baselines.")
