"""Show the instances that are registered."""

from argparse import ArgumentParser
from typing import Any

from django.utils import timezone

from config import commands
from registry.instances import catalogue
from registry.models import Instance
from registry.wire.bodies import age, instance_body


class Command(commands.Command):
    help = "List the registered instances with their status. Example: list_services grading --json"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", nargs="?", help="one service (default: all)")
        parser.add_argument("--json", action="store_true")

    def run(self, **options: Any) -> None:
        instances = Instance.objects.all()
        if name := options["name"]:
            # Raises UnknownService: a misspelt name is not a service without instances.
            catalogue.summary(name)
            instances = instances.filter(service=name)
        if options["json"]:
            self.print_json([instance_body(each) for each in instances])
            return
        header = ["SERVICE", "INSTANCE", "STATUS", "FOR", "URL", "REQUIRES", "REASON"]
        table = [
            [
                each.service,
                each.name,
                each.shown_status,
                age(each.shown_since, now=timezone.now()),
                each.url,
                " ".join(each.requires),
                each.shown_reason,
            ]
            for each in instances
        ]
        self.print_table(header, table)
