"""Everything a service needs before it can be served: tables, keys, accounts, demo data."""

import io
import json
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management import call_command, get_commands, load_command_class
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from config import commands, privacy

# Run in this order, each where the service has it.
COMMANDS = ("provision", "load_demo")


class Command(commands.Command):
    help = "Migrate the database and run whichever of provision and load_demo the service has. Safe to repeat."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print the accounts that were made, with passwords")

    def run(self, **options: Any) -> None:
        privacy.repair(settings.DATA_DIR)
        migrations = _migrate()
        accounts = [_run(name) for name in COMMANDS if name in get_commands()]
        if options["json"]:
            passwords = {name: word for entries in accounts for name, word in entries.items()}
            self.stdout.write(json.dumps({"migrations": migrations, "accounts": passwords}))
        else:
            self.stdout.write(f"Prepared {settings.SERVICE.name}: {migrations} migrations applied.")


def _migrate() -> int:
    """How many migrations were applied."""
    executor = MigrationExecutor(connection)
    pending = executor.migration_plan(executor.loader.graph.leaf_nodes())
    call_command("migrate", interactive=False, verbosity=0)
    return len(pending)


def _run(name: str) -> dict[str, str]:
    """The accounts, with their passwords, that a command says it has made."""
    command = load_command_class(get_commands()[name], name)
    tells = "json" in vars(command.create_parser("manage.py", name).parse_args([]))
    output = io.StringIO()
    call_command(command, stdout=output, **({"json": True} if tells else {}))
    accounts: dict[str, str] = json.loads(output.getvalue()) if tells else {}
    return accounts
