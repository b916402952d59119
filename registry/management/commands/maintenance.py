"""Begin or end the maintenance of an instance or of a whole service."""

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.utils import timezone

from config import commands, numbers
from config.commands import Report
from config.problems import Invalid
from registry.instances import catalogue, declaration, overrides
from registry.management import members
from registry.wire.bodies import maintenance_body

AUTHOR = "command line"


class Command(commands.Reporting):
    help = (
        "Stop offering an instance, or with none named a whole service, until a time is over or --end is said. "
        "Example: maintenance billing billing-1 --minutes 30 --reason 'new disk'"
    )

    member_names = members.TARGET

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="the service")
        parser.add_argument("instance", nargs="?", default="", help="one of its instances (default: all)")
        end = parser.add_mutually_exclusive_group()
        end.add_argument("--minutes", type=numbers.decimal, help="end by itself after so long (default: with --end)")
        end.add_argument("--end", action="store_true", help="end it now")
        parser.add_argument("--reason", default="", help="shown to everybody and kept in the journal")

    def report(self, **options: Any) -> Report:
        service, instance = options["name"], options["instance"]
        declaration.check_names(service=service, **({"instance": instance} if instance else {}))
        declaration.check_reason(options["reason"])
        named = f"{service}/{instance}" if instance else service
        if options["end"]:
            was_there = overrides.end_maintenance(service, instance, author=AUTHOR, now=timezone.now())
            said = f"Ended the maintenance of {named}." if was_there else f"{named} is not in maintenance."
            return Report(lines=[said], body={"service": service, "instance": instance, "ended": was_there})
        minutes: float | None = options["minutes"]
        if minutes is not None and not 0 < minutes <= 525_600:
            raise Invalid("--minutes is a number above 0 and at most 525600, which is a year.")
        now = timezone.now()
        until = now + timedelta(minutes=minutes) if minutes else None
        begun = overrides.begin_maintenance(
            service, instance, until=until, reason=options["reason"], author=AUTHOR, now=now
        )
        dependents = sorted(next((each.required_by for each in catalogue.summaries() if each.service == service), ()))
        instances = [each.name for each in catalogue.instances(service) if instance in ("", each.name)]
        end = f"until {until:%Y-%m-%d %H:%M} UTC" if until else "until it is ended with --end"
        required = f"required by {', '.join(dependents)}" if dependents else "no service requires it"
        # Maintenance may begin before its instance is registered, or name one that is misspelt.
        missing = "" if instances else ", and none of that name is registered now"
        return Report(
            lines=[f"{named} is in maintenance {end}; {required}{missing}."],
            body={**maintenance_body(begun), "instances": instances, "required_by": dependents},
        )
