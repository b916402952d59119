"""Drain an instance: it is no longer offered, and deregistered when its time is over."""

from argparse import ArgumentParser
from typing import Any

from django.utils import timezone

from config import commands, numbers
from config.commands import Report
from config.problems import Invalid
from registry.instances import declaration, overrides
from registry.management import members
from registry.wire.bodies import instance_body

AUTHOR = "command line"


class Command(commands.Reporting):
    help = "Stop offering an instance and deregister it after a while. Example: drain billing billing-1 --seconds 60"

    member_names = members.TARGET

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="the service")
        parser.add_argument("instance")
        parser.add_argument(
            "--seconds", type=numbers.decimal, default=30.0, help="how long until it is deregistered (default: 30)"
        )
        parser.add_argument("--reason", default="", help="kept in the journal")

    def report(self, **options: Any) -> Report:
        if not 0 <= options["seconds"] <= 86_400:
            raise Invalid("--seconds is a number from 0 to 86400, which is a day.")
        key = declaration.instance_key(options["name"], options["instance"])
        reason = declaration.check_reason(options["reason"])
        instance = overrides.drain(key, seconds=options["seconds"], reason=reason, author=AUTHOR, now=timezone.now())
        said = f"{instance} drains; it is deregistered in {options['seconds']:g} s."
        return Report(lines=[said], body=instance_body(instance))
