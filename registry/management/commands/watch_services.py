"""Follow the journal as it grows."""

import json
import time
from argparse import ArgumentParser, ArgumentTypeError
from math import inf
from typing import Any

from config import commands, escaping
from registry.journal import log
from registry.wire.bodies import entry_body

POLL_SECONDS = 0.5
PAGE = 1000


class Command(commands.Command):
    help = "Print every change as it happens, until Ctrl-C. Example: watch_services grading logsvc --json"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("names", nargs="*", metavar="NAME", help="only these services (default: all)")
        parser.add_argument("--after", type=_revision, help="begin after this revision (default: now)")
        parser.add_argument("--until", type=_revision, help="end when this revision is reached (default: never)")
        parser.add_argument("--json", action="store_true", help="one JSON object a line")

    def run(self, **options: Any) -> None:
        after = log.head() if options["after"] is None else options["after"]
        until = inf if options["until"] is None else options["until"]
        try:
            while after < until:
                head = log.head()
                entries = log.page(after=after, limit=PAGE, services=options["names"])
                for entry in (each for each in entries if each.revision <= until):
                    reason = f": {entry.reason}" if entry.reason else ""
                    what = f"{entry.service}/{entry.instance} {entry.get_change_display()}{reason}"
                    line = f"{entry.revision:>6}  {entry.at:%Y-%m-%d %H:%M:%SZ}  {what}  ({entry.author})"
                    self.stdout.write(json.dumps(entry_body(entry)) if options["json"] else escaping.visible(line))
                self.stdout.flush()
                if len(entries) == PAGE:
                    after = entries[-1].revision
                    continue
                if head <= after:
                    time.sleep(POLL_SECONDS)
                after = max([after, head, *(entry.revision for entry in entries)])
        except KeyboardInterrupt:
            return


def _revision(text: str) -> int:
    if not text.isdecimal() or len(text) > 18:
        raise ArgumentTypeError(f"{text[:40]!r} is not a revision, such as 41")
    return int(text)
