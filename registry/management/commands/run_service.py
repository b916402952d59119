"""Run any program as an instance of a service."""

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError

from config import commands, env, numbers
from config.problems import Invalid
from registry.client import Heartbeat, Registration, Registry, sidecar
from registry.client.membership import DRAIN_SECONDS
from registry.instances import declaration
from registry.management import members

CANNOT_RUN = 126
NOT_FOUND = 127


class Command(commands.Command):
    help = (
        "Run a program as an instance of a service: register it, beat for it while it runs, deregister it when it "
        "ends, pass signals and its exit code on. The token comes from --token-file or ROLLCALL_TOKEN. "
        "Example: run_service billing --url http://127.0.0.1:9000 -- ./billing --port 9000"
    )

    raw_options = frozenset({"program"})
    member_names = {**members.DECLARATION, "/url": "--url"}

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="the service")
        parser.add_argument("--url", required=True, help="where the program is reached")
        parser.add_argument("--instance", help="the instance's name (default: NAME-1)")
        parser.add_argument("--requires", action="append", default=[], metavar="SERVICE", help="repeated for each")
        parser.add_argument("--tag", action="append", default=[], dest="tags", help="repeated for each")
        parser.add_argument("--zone", default="")
        parser.add_argument("--service-version", default="", metavar="VERSION")
        parser.add_argument("--heartbeat", default="ttl", help="ttl, tcp or http (default: %(default)s)")
        parser.add_argument(
            "--interval", type=numbers.decimal, default=10.0, help="seconds between heartbeats (default: 10)"
        )
        parser.add_argument(
            "--drain",
            type=numbers.decimal,
            default=DRAIN_SECONDS,
            metavar="SECONDS",
            help="serve on for so long after SIGTERM, when the registry stops offering it (default: %(default)s)",
        )
        parser.add_argument("--registry", default=settings.REGISTRY_URL, help="its address (default: %(default)s)")
        parser.add_argument("--token-file", type=Path, help="a file that holds the token")
        parser.add_argument("program", nargs="+", help="the program and its arguments, after --")

    def run(self, **options: Any) -> None:
        try:
            registry = Registry(options["registry"], _token(options["token_file"]))
        except ValueError as error:
            raise Invalid(str(error)) from error
        try:
            key = declaration.instance_key(options["name"], options["instance"] or f"{options['name']}-1")
            registration = Registration(
                service=key.service,
                instance=key.instance,
                url=options["url"],
                requires=options["requires"],
                tags=options["tags"],
                zone=options["zone"],
                version=options["service_version"],
                heartbeat=Heartbeat(kind=options["heartbeat"], interval_seconds=options["interval"]),
            )
            members.check_requires(options["requires"])
            # Checked here as the registry will check it, so that a mistake in the command line is reported at once.
            declaration.declaration(registration.body())
            me = registry.registered(registration, drain_seconds=options["drain"])
            code = sidecar.run(me, options["program"])
        except OSError as error:
            code = NOT_FOUND if isinstance(error, FileNotFoundError) else CANNOT_RUN
            raise CommandError(f"{options['program'][0]} cannot be run: {error.strerror}.", returncode=code) from error
        sys.exit(code)


def _token(path: Path | None) -> str:
    try:
        token = path.read_text().strip() if path else env.text("ROLLCALL_TOKEN", "")
    except OSError as error:
        raise Invalid(f"The token cannot be read from {path}: {error.strerror}.") from error
    if not token:
        raise Invalid("There is no token: set ROLLCALL_TOKEN or --token-file to what create_token printed.")
    return token
