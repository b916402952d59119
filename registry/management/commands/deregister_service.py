"""Deregister one instance of a service, or all."""

from argparse import ArgumentParser
from typing import Any

from django.utils import timezone

from config import commands
from config.commands import Report
from registry.errors import UnknownInstance, UnknownService
from registry.instances import catalogue, declaration, registration
from registry.management import members

AUTHOR = "command line"


class Command(commands.Reporting):
    help = "Deregister an instance, or all instances of a service. Example: deregister_service billing billing-1"

    member_names = members.TARGET

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="the service")
        parser.add_argument("instance", nargs="?", help="one of its instances (default: all)")
        parser.add_argument("--reason", default="", help="kept in the journal")

    def report(self, **options: Any) -> Report:
        service, reason = options["name"], declaration.check_reason(options["reason"])
        names = [options["instance"]] if options["instance"] else [each.name for each in catalogue.instances(service)]
        if not names:
            raise UnknownService(service)
        for name in names:
            key = declaration.instance_key(service, name)
            if not registration.deregister(key, author=AUTHOR, reason=reason, now=timezone.now()):
                raise UnknownInstance(service, name)
        return Report(
            lines=[f"Deregistered {service}/{name}." for name in names],
            body=[{"service": service, "instance": name} for name in names],
        )
