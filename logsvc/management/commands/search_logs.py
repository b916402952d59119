"""./manage.py logsvc search_logs [QUERY]"""

import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec
from django.core.management.base import CommandParser

from config import numbers
from config.commands import Command as BaseCommand
from config.problems import Invalid
from logsvc import representation, severity
from logsvc.api.questions import moment
from logsvc.models import SavedSearch
from logsvc.query import ast, parser
from logsvc.query.ast import Query
from logsvc.record import Stored, exception_text
from logsvc.severity import Severity
from logsvc.storage.current import store
from logsvc.storage.interface import Range, Search

PAGE = 500
FOLLOW_SECONDS = 0.25
_COLOURS = {
    Severity.TRACE: "\033[2m",
    Severity.DEBUG: "\033[2m",
    Severity.WARN: "\033[33m",
    Severity.ERROR: "\033[31m",
    Severity.FATAL: "\033[1;31m",
}
_DIM, _RESET = "\033[2m", "\033[0m"


class Command(BaseCommand):
    help = "Find records: search_logs 'level>=warn service:grading \"timed out\" -healthz'. The newest comes last."
    signed_options = frozenset({"--from", "--to"})

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("query", nargs="?", default="", help="in the query language of docs/logsvc.md")
        parser.add_argument("--saved", default="", metavar="NAME", help="a saved search, which the query narrows")
        parser.add_argument("--from", dest="since", default="", metavar="TIME", help="such as -15m or 2026-11-29T08:00")
        parser.add_argument("--to", dest="until", default="", metavar="TIME")
        parser.add_argument(
            "--limit", type=numbers.whole, default=100, help="the most records to show; with --follow those before it"
        )
        parser.add_argument(
            "--follow", "-f", action="store_true", help="keep printing records as they arrive, until Ctrl-C"
        )
        parser.add_argument("--json", action="store_true", help="one JSON object a line, as the API shows it")
        parser.add_argument("--colour", "--color", choices=["auto", "always", "never"], default="auto")

    def run(self, **options: Any) -> None:
        query = parser.parse(options["query"])
        if options["saved"]:
            saved = SavedSearch.objects.filter(name=options["saved"]).first()
            if saved is None:
                names = ", ".join(SavedSearch.objects.order_by("name").values_list("name", flat=True)[:20])
                raise Invalid(f"There is no saved search {options['saved']!r}: use one of {names or 'none yet'}.")
            query = ast.both(parser.parse(saved.query), query)
        within = Range(from_ns=_time(options["since"], "--from"), to_ns=_time(options["until"], "--to"))
        if options["limit"] < 0:
            raise Invalid("--limit is a number from 0 on.")
        if options["follow"] and options["until"]:
            raise Invalid("--follow goes on for ever: leave out --to.")
        is_coloured = options["colour"] == "always" or (
            options["colour"] == "auto" and sys.stdout.isatty() and not options["no_color"]
        )
        try:
            # Asked before the past is read, so that nothing is missed in between.
            cursor = store().head()
            known = set()
            for record in reversed(list(newest(query, within, limit=options["limit"]))):
                known.add(record.seq)
                self._show(record, is_json=options["json"], is_coloured=is_coloured)
            while options["follow"]:
                found = store().tail(after_seq=cursor, query=query, limit=PAGE)
                if not found.is_gapless:
                    self.stderr.write("Retention has deleted records that came meanwhile: some may be missing here.")
                for record in found.records:
                    if record.seq not in known:
                        self._show(record, is_json=options["json"], is_coloured=is_coloured)
                if found.cursor == cursor:
                    self.stdout.flush()
                    time.sleep(FOLLOW_SECONDS)
                cursor = found.cursor
        except KeyboardInterrupt:
            return

    def _show(self, record: Stored, *, is_json: bool, is_coloured: bool) -> None:
        if is_json:
            line = msgspec.json.encode(representation.record_body(record)).decode()
        else:
            line = shown(record, is_coloured=is_coloured)
        self.stdout.write(line)


def newest(query: Query, within: Range, *, limit: int) -> Iterator[Stored]:
    """The newest matches first, read a page at a time."""
    place: int | None = None
    left = limit
    while left > 0:
        page = store().search(Search(query=query, within=within, before=place, limit=min(left, PAGE)))
        yield from page.records
        left -= len(page.records)
        if page.next is None:
            return
        place = page.next


def shown(record: Stored, *, is_coloured: bool) -> str:
    """A record for a terminal: control characters, which could steer it, are written out."""
    moment = datetime.fromtimestamp(record.time_ns / 1e9, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
    level = severity.range_of(record.severity)
    name = "-" if level is Severity.UNSPECIFIED else level.name
    origin = f"{record.service}/{record.instance}" if record.instance else record.service
    text = "\n".join(filter(None, (record.body, exception_text(record))))
    body = "\n".join(_harmless(line) for line in text.split("\n")).replace("\n", "\n    ")
    attributes = {name: each for name, each in record.attributes.items() if not name.startswith("exception.")}
    extra = f"  {_harmless(msgspec.json.encode(attributes).decode())}" if attributes else ""
    if is_coloured:
        moment, extra = f"{_DIM}{moment}{_RESET}", f"{_DIM}{extra}{_RESET}" if extra else ""
        name = f"{_COLOURS.get(level, '')}{name:<5}{_RESET}"
    return f"{moment} {name:<5} {_harmless(origin)} {body}{extra}"


def _harmless(text: str) -> str:
    return "".join(each if each.isprintable() or each == "\t" else ascii(each)[1:-1] for each in text)


def _time(value: str, option: str) -> int | None:
    try:
        return moment(value) if value else None
    except ValueError as error:
        raise Invalid(f"{option}: {error}.") from error
