"""Redeliver changes to dependents, or resync them."""

from argparse import ArgumentParser
from typing import Any

from django.utils import timezone

from config import commands, numbers
from config.commands import Report
from config.problems import Invalid
from registry.instances import declaration
from registry.management import members
from registry.webhooks import replay, sender


class Command(commands.Reporting):
    help = (
        "Redeliver the net change since a revision or a delivery, send a test, or resync a dependent (or with "
        "--all every dependent). Examples: replay_notifications webui webui-1 --since 41; "
        "replay_notifications webui webui-1 --trial; replay_notifications --all"
    )

    member_names = members.TARGET

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", nargs="?", help="the dependent's service")
        parser.add_argument("instance", nargs="?")
        what = parser.add_mutually_exclusive_group()
        what.add_argument("--since", type=numbers.whole, metavar="REVISION", help="(default: resync)")
        what.add_argument("--delivery", type=numbers.whole, metavar="ID", help="from the start of that delivery")
        what.add_argument("--trial", action="store_true", help="send a signed message that changes nothing, now")
        what.add_argument("--all", action="store_true", help="resync every dependent")

    def report(self, **options: Any) -> Report:
        names = [each for each in (options["name"], options["instance"]) if each]
        if len(names) != (0 if options["all"] else 2):
            raise Invalid("Name a service and its instance, or say --all.")
        if options["all"]:
            count = replay.resync()
            return Report(lines=[f"{count} dependents are asked to resync."], body={"dependents": count})
        target = declaration.instance_key(options["name"], options["instance"])
        named = f"{target.service}/{target.instance}"
        if options["trial"]:
            attempt = sender.send_now(replay.trial(target, now=timezone.now()))
            body = sender.attempt_body(attempt)
            if not attempt.succeeded:
                return Report(lines=[], body=body, failure=f"{named} refused it: {attempt.error}")
            accepted = f"{named} accepted it: {attempt.status_code} after {attempt.duration_ms:.0f} ms."
            return Report(lines=[accepted], body=body)
        since, delivery = options["since"], options["delivery"]
        if since is not None:
            replay.since(target, since)
            said = f"The changes since revision {since} are delivered to {named} again."
        elif delivery is not None:
            replay.delivery(target, delivery)
            said = f"Delivery {delivery} to {named} is repeated, with the changes since."
        else:
            replay.resync([target])
            said = f"{named} is asked to resync."
        return Report(lines=[said], body={"dependents": 1})
