"""Register an instance of a service from the command line."""

from argparse import ArgumentParser
from typing import Any

from django.utils import timezone

from config import commands, numbers
from config.commands import Report
from registry.instances import declaration, registration
from registry.management import members
from registry.wire.bodies import instance_body

AUTHOR = "command line"


class Command(commands.Reporting):
    help = (
        "Register an instance of a service, or update it. "
        "Example: register_service billing http://10.0.0.7:9000 --requires logsvc --heartbeat http"
    )

    member_names = members.DECLARATION

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="the service")
        parser.add_argument("url", help="where the instance is reached")
        parser.add_argument("--instance", help="the instance's name (default: NAME-1)")
        parser.add_argument("--requires", action="append", default=[], metavar="SERVICE", help="repeated for each")
        parser.add_argument("--tag", action="append", default=[], dest="tags", help="repeated for each")
        parser.add_argument("--zone", default="")
        parser.add_argument("--service-version", default="", dest="version_label", metavar="VERSION")
        parser.add_argument(
            "--heartbeat",
            default="auto",
            help="http, tcp, ttl, or auto: http where it answers that (default: %(default)s)",
        )
        parser.add_argument("--heartbeat-url", help="what is probed (default: URL/healthz for http, else URL)")
        parser.add_argument(
            "--interval", type=numbers.decimal, default=10.0, help="seconds between probes (default: 10)"
        )
        parser.add_argument("--notify-url", help="where webhooks about required services go")
        parser.add_argument("--notify-secret", help="whsec_…, with which they are signed")

    def report(self, **options: Any) -> Report:
        key = declaration.instance_key(options["name"], options["instance"] or f"{options['name']}-1")
        heartbeat = {
            "kind": options["heartbeat"],
            "url": options["heartbeat_url"],
            "interval_seconds": options["interval"],
        }
        given = {
            "url": options["url"],
            "requires": options["requires"],
            "tags": options["tags"],
            "zone": options["zone"],
            "version": options["version_label"],
            "notify_url": options["notify_url"],
            "notify_secret": options["notify_secret"],
            "heartbeat": heartbeat,
        }
        members.check_requires(options["requires"])
        declared = declaration.declaration(given)
        registered = registration.register(key, declared, author=AUTHOR, now=timezone.now())
        verb = "Registered" if registered.is_new else "Updated"
        said = f"{verb} {registered.instance} at {registered.instance.url}, revision {registered.revision}."
        return Report(lines=[said], body=instance_body(registered.instance))
