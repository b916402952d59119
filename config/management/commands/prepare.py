"""Everything a service needs before it can be served: tables, keys, accounts, demo data."""

import io
import json
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management import call_command, get_commands, load_command_class
from django.core.management.sql import emit_post_migrate_signal
from django.db import DEFAULT_DB_ALIAS, connection
from django.db.migrations.executor import MigrationExecutor

from config import baseline, commands, privacy

# Run in this order, each if the service has it.
COMMANDS = ("provision", "load_demo")


class Command(commands.Command):
    help = "Migrate the database and run whichever of provision and load_demo the service has. Safe to repeat."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print the accounts that were made, with passwords")

    def run(self, **options: Any) -> None:
        privacy.repair(settings.DATA_DIR)
        migrations = migrate()
        accounts: dict[str, str] = {}
        for name in COMMANDS:
            if name not in get_commands():
                continue
            command = load_command_class(get_commands()[name], name)
            # Such a command prints the accounts it has made, with their passwords.
            prints_accounts = "json" in vars(command.create_parser("manage.py", name).parse_args([]))
            output = io.StringIO()
            call_command(command, stdout=output, **({"json": True} if prints_accounts else {}))
            if prints_accounts:
                accounts |= json.loads(output.getvalue())
        if options["json"]:
            self.stdout.write(json.dumps({"migrations": migrations, "accounts": accounts}))
        else:
            self.stdout.write(f"Prepared {settings.SERVICE.name}: {migrations} migrations applied.")


def migrate() -> int:
    """Migrate; returns how many migrations were applied."""
    is_new = baseline.load()
    executor = MigrationExecutor(connection)
    pending = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if pending:
        call_command("migrate", interactive=False, verbosity=0)
    else:
        # Permissions and types of content, which an end amid an earlier migration may have left out.
        emit_post_migrate_signal(verbosity=0, interactive=False, db=DEFAULT_DB_ALIAS)
    return len(pending) + (len(executor.loader.applied_migrations) if is_new else 0)
