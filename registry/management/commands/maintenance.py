"""Begin or end the maintenance of an instance or of a whole service."""

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.utils import timezone

from config import commands
from config.problems import Invalid
from registry import catalogue, declaration, overrides

AUTHOR = "command line"


class Command(commands.Command):
    help = (
        "Stop offering an instance, or with none named a whole service, until a time is over or --end is said. "
        "Example: maintenance billing billing-1 --minutes 30 --reason 'new disk'"
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="the service")
        parser.add_argument("instance", nargs="?", default="", help="one of its instances (default: all)")
        parser.add_argument("--minutes", type=float, help="end by itself after so long (default: when --end is said)")
        parser.add_argument("--reason", default="", help="shown to everybody and kept in the journal")
        parser.add_argument("--end", action="store_true", help="end it now")

    def run(self, **options: Any) -> None:
        service, instance = options["name"], options["instance"]
        declaration.target(service, instance or service)
        what = f"{service}/{instance}" if instance else service
        now = timezone.now()
        if options["end"]:
            was_there = overrides.end_maintenance(service, instance, author=AUTHOR, now=now)
            self.stdout.write(f"Ended the maintenance of {what}." if was_there else f"{what} is in no maintenance.")
            return
        if options["minutes"] is not None and not 0 < options["minutes"] <= 525_600:
            raise Invalid("--minutes is a number above 0 and at most 525600, which is a year.")
        until = now + timedelta(minutes=options["minutes"]) if options["minutes"] else None
        overrides.begin_maintenance(service, instance, until=until, reason=options["reason"], author=AUTHOR, now=now)
        end = f"until {until:%Y-%m-%d %H:%M} UTC" if until else "until --end is said"
        self.stdout.write(f"{what} is in maintenance {end}; {_affected(service, instance)}.")


def _affected(service: str, instance: str) -> str:
    """Who suffers from it, and whether anybody of that name is there: a name misspelt is none."""
    dependents = next((each.required_by for each in catalogue.summaries() if each.service == service), set())
    required = f"required by {', '.join(sorted(dependents))}" if dependents else "nobody requires it"
    names = [each.name for each in catalogue.instances(service)]
    is_there = instance in names if instance else bool(names)
    return required if is_there else f"{required}, and none of that name is registered now"
