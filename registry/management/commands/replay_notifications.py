"""Redeliver changes to dependents, or resync them."""

from argparse import ArgumentParser
from typing import Any

from django.utils import timezone

from config import commands
from config.commands import Report
from config.problems import Invalid
from registry.instances import declaration
from registry.management import members
from registry.models import InstanceKey
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
        what.add_argument("--since", type=int, metavar="REVISION", help="(default: resync)")
        what.add_argument("--delivery", type=int, metavar="ID", help="from the start of that delivery")
        what.add_argument("--trial", action="store_true", help="send a signed message that changes nothing, now")
        what.add_argument("--all", action="store_true", help="resync every dependent")

    def report(self, **options: Any) -> Report:
        named = [each for each in (options["name"], options["instance"]) if each]
        if len(named) != (0 if options["all"] else 2):
            raise Invalid("Name a service and its instance, or say --all.")
        if options["all"]:
            count = replay.resync()
            return _told(f"{count} dependents are asked to resync.", count)
        return _tell(declaration.instance_key(options["name"], options["instance"]), **options)


def _tell(target: InstanceKey, *, since: int | None, delivery: int | None, trial: bool, **others: Any) -> Report:
    named = f"{target.service}/{target.instance}"
    if trial:
        return _try(target, named)
    if since is not None:
        replay.since(target, since)
        return _told(f"The changes since revision {since} are delivered to {named} again.")
    if delivery is not None:
        replay.delivery(target, delivery)
        return _told(f"Delivery {delivery} to {named} is repeated, with the changes since.")
    replay.resync([target])
    return _told(f"{named} is asked to resync.")


def _told(said: str, count: int = 1) -> Report:
    return Report(lines=[said], body={"dependents": count})


def _try(target: InstanceKey, named: str) -> Report:
    attempt = sender.send_now(replay.trial(target, now=timezone.now()))
    body = sender.attempt_body(attempt)
    if not attempt.succeeded:
        return Report(lines=[], body=body, failure=f"{named} refused it: {attempt.error}")
    said = f"{named} accepted it: {attempt.status_code} after {attempt.duration_ms:.0f} ms."
    return Report(lines=[said], body=body)
