"""Follow the journal as it grows."""

import json
import time
from argparse import ArgumentParser, ArgumentTypeError
from collections import Counter
from collections.abc import Iterator, Sequence
from math import inf
from typing import Any

from config import commands, escaping, numbers
from registry.instances import standing
from registry.instances.dependencies import State
from registry.instances.standing import Standing
from registry.journal import log
from registry.models import Change
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
        # Beside what scripts read.
        for line in _introduction(options["names"], after=after, until=options["until"]):
            self.stderr.write(escaping.visible(line))
        try:
            while after < until:
                head = log.head()
                entries = log.page(after=after, limit=PAGE, services=options["names"])
                for entry in (each for each in entries if each.revision <= until):
                    reason = f": {entry.reason}" if entry.reason else ""
                    what = f"{entry.service}/{entry.instance} {Change(entry.change).label}{reason}"
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


def _introduction(names: Sequence[str], *, after: int, until: int | None) -> Iterator[str]:
    """Sentences that name the services watched, and their state now."""
    standings, _ = standing.standings()
    what = ", ".join(names) or f"all {len(standings)} services"
    end = "Ctrl-C" if until is None else f"revision {until}"
    yield f"Changes of {what} after revision {after}, until {end}:"
    known = {each.summary.service: each for each in standings}
    for name in names:
        yield _said(known[name]) if name in known else f"{name} is not known: nobody registered or requires it"
    if not names and standings:
        counts = Counter(each.state for each in standings)
        yield ", ".join(f"{counts[state]} {state}" for state in State if counts[state])


def _said(found: Standing) -> str:
    since = f" since {found.since:%Y-%m-%d %H:%M:%S} UTC" if found.since else ""
    reason = f" ({found.reason})" if found.reason else ""
    total = sum(found.summary.counts.values())
    offered = f"; {found.summary.offered} of {total} instances offered" if total else ""
    return f"{found.summary.service} is {found.state}{since}{reason}{offered}"


def _revision(text: str) -> int:
    if not numbers.is_whole(text):
        raise ArgumentTypeError(f"{text[:40]!r} is not a revision, such as 41")
    return int(text)
