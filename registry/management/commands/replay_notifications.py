"""Tell dependents again."""

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
        "Tell a dependent the net change since a revision or from one delivery on, send it a test, or have it (or with "
        "--all every dependent) ask for the whole. Examples: replay_notifications webui webui-1 --since 41; "
        "replay_notifications webui webui-1 --trial; replay_notifications --all"
    )

    member_names = members.TARGET

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", nargs="?", help="the dependent's service")
        parser.add_argument("instance", nargs="?")
        what = parser.add_mutually_exclusive_group()
        what.add_argument("--since", type=int, metavar="REVISION", help="(default: have it ask for the whole)")
        what.add_argument("--delivery", type=int, metavar="ID", help="from where that delivery began")
        what.add_argument("--trial", action="store_true", help="send a signed message that changes nothing, now")
        what.add_argument("--all", action="store_true", help="have every dependent ask for the whole")

    def report(self, **options: Any) -> Report:
        named = [each for each in (options["name"], options["instance"]) if each]
        if len(named) != (0 if options["all"] else 2):
            raise Invalid("Name a service and its instance, or say --all.")
        if options["all"]:
            count = replay.resync()
            return _told(f"{count} dependents are told to ask for the whole.", count)
        return _tell(declaration.instance_key(options["name"], options["instance"]), **options)


def _tell(target: InstanceKey, *, since: int | None, delivery: int | None, trial: bool, **others: Any) -> Report:
    named = f"{target.service}/{target.instance}"
    if trial:
        return _try(target, named)
    if since is not None:
        replay.since(target, since)
        return _told(f"{named} is told what changed since {since}.")
    if delivery is not None:
        replay.delivery(target, delivery)
        return _told(f"{named} is told again what delivery {delivery} told, and what has changed since.")
    replay.resync([target])
    return _told(f"{named} is told to ask for the whole.")


def _told(said: str, count: int = 1) -> Report:
    return Report(lines=[said], body={"dependents": count})


def _try(target: InstanceKey, named: str) -> Report:
    attempt = sender.send_now(replay.trial(target, now=timezone.now()))
    body = sender.attempt_body(attempt)
    if not attempt.succeeded:
        return Report(lines=[], body=body, failure=f"{named} did not take it: {attempt.error}")
    said = f"{named} took it, and answered {attempt.status_code} after {attempt.duration_ms:.0f} ms."
    return Report(lines=[said], body=body)
