"""Tell dependents again."""

from argparse import ArgumentParser
from typing import Any

from config import commands
from config.problems import Invalid
from registry import declaration, replay


class Command(commands.Command):
    help = (
        "Tell a dependent the net change since a revision, or have it (or with --all every dependent) ask for the "
        "whole. Examples: replay_notifications webui webui-1 --since 41; replay_notifications --all"
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", nargs="?", help="the dependent's service")
        parser.add_argument("instance", nargs="?")
        parser.add_argument("--since", type=int, metavar="REVISION", help="(default: have it ask for the whole)")
        parser.add_argument("--all", action="store_true", help="have every dependent ask for the whole")

    def run(self, **options: Any) -> None:
        if options["all"]:
            self.stdout.write(f"{replay.resync()} dependents are told to ask for the whole.")
            return
        if not options["name"] or not options["instance"]:
            raise Invalid("Name a service and its instance, or say --all.")
        target = declaration.target(options["name"], options["instance"])
        if options["since"] is None:
            replay.resync([target])
            self.stdout.write(f"{target.service}/{target.instance} is told to ask for the whole.")
        else:
            replay.since(target, options["since"])
            self.stdout.write(f"{target.service}/{target.instance} is told what changed since {options['since']}.")
