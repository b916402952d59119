"""Make what the web UI needs before it can be used."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings

from config import commands
from webui import accounts


class Command(commands.Command):
    help = "Make the groups and the demonstration's accounts, and print their passwords. Safe to repeat."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print a JSON object of username to password")

    def run(self, **options: Any) -> None:
        accounts.provide(passwords=settings.DEMO_PASSWORDS)
        if options["json"]:
            self.print_json(settings.DEMO_PASSWORDS)
            return
        self.print_table(["USERNAME", "PASSWORD"], [[name, word] for name, word in settings.DEMO_PASSWORDS.items()])
