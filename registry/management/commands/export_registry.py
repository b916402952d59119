"""Write the registrations as JSON."""

from argparse import ArgumentParser
from typing import Any

from config import commands
from registry.instances import backup


class Command(commands.Command):
    help = "Print all registrations and maintenances as JSON. Example: export_registry > registry.json"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--with-secrets",
            action="store_true",
            help="include the secrets of webhooks; without them notify URLs are left out until the next registration",
        )

    def run(self, **options: Any) -> None:
        self.print_json(backup.export(with_secrets=options["with_secrets"]))
