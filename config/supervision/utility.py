"""`./manage.py up`, whose supervisor is forked before settings are read: what it forks reads other ones."""

from django.core.management.base import BaseCommand

from config import commands
from config.supervision.management.commands.up import Command
from config.supervision.process import Process


class ForkingUtility(commands.Utility):
    def execute(self) -> None:
        with Process.fork() as self._process:
            super().execute()

    def fetch_command(self, subcommand: str) -> BaseCommand:
        command = super().fetch_command(subcommand)
        if isinstance(command, Command):
            command.process = self._process
        return command
