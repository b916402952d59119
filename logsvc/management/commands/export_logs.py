"""./manage.py logsvc export_logs [QUERY] --output FILE"""

import csv
import gzip
import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO, cast

import msgspec
from django.core.management.base import CommandParser

from config.commands import Command as BaseCommand
from config.problems import Invalid
from logsvc import representation
from logsvc.api.questions import moment
from logsvc.query import parser
from logsvc.query.ast import Query
from logsvc.record import Stored
from logsvc.storage.current import store
from logsvc.storage.interface import Range, Search

PAGE = 1000
COLUMNS = (
    "time",
    "level",
    "service",
    "instance",
    "host",
    "logger",
    "message",
    "trace_id",
    "span_id",
    "attributes",
    "uid",
)


class Command(BaseCommand):
    help = "Write records to a file, oldest first: NDJSON, which restore_logs and POST /api/v1/logs take, or CSV."
    signed_options = frozenset({"--from", "--to"})

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("query", nargs="?", default="", help="in the query language of docs/logsvc.md")
        parser.add_argument("--from", dest="since", default="", metavar="TIME", help="such as -1d or 2026-11-29T08:00")
        parser.add_argument("--to", dest="until", default="", metavar="TIME")
        parser.add_argument("--format", choices=["ndjson", "csv"], default="ndjson")
        parser.add_argument(
            "--output", "-o", default="-", metavar="FILE", help="- is the standard output; .gz compresses"
        )

    def run(self, **options: Any) -> None:
        query = parser.parse(options["query"])
        within = Range(from_ns=_time(options["since"], "--from"), to_ns=_time(options["until"], "--to"))
        count = 0
        with _opened(options["output"], cast(TextIO, self.stdout)) as file:
            write = (
                _csv(file)
                if options["format"] == "csv"
                else lambda body: file.write(f"{msgspec.json.encode(body).decode()}\n")
            )
            for record in oldest(query, within):
                write(representation.record_body(record))
                count += 1
        if options["output"] != "-":
            self.stdout.write(f"{count} records written to {options['output']}.")


def oldest(query: Query, within: Range) -> Iterator[Stored]:
    """Every match, oldest first, read a page at a time, including those that arrive meanwhile with a later time."""
    place: int | None = None
    while True:
        page = store().search(Search(query=query, within=within, after=place, limit=PAGE, is_ascending=True))
        yield from page.records
        if page.next is None:
            return
        place = page.next


def _csv(file: TextIO) -> Any:
    writer = csv.writer(file)
    writer.writerow(COLUMNS)

    def write(body: dict[str, Any]) -> None:
        values = [body[name] for name in COLUMNS]
        cells = [each if isinstance(each, str) else msgspec.json.encode(each).decode() for each in values]
        # A quote first, so that no spreadsheet takes a cell for a formula (OWASP, CSV injection).
        writer.writerow([f"'{each}" if each.startswith(("=", "+", "-", "@", "\t", "\r")) else each for each in cells])

    return write


@contextmanager
def _opened(name: str, standard: Any) -> Iterator[TextIO]:
    if name == "-":
        yield standard
        return
    path = Path(name)
    # Whole under its name, or not at all.
    unfinished = path.with_name(f".{path.name}.unfinished")
    try:
        with unfinished.open("wb") as raw:
            file: Any = gzip.GzipFile(fileobj=raw, mode="wb") if path.suffix == ".gz" else raw
            with io.TextIOWrapper(file, encoding="utf-8", newline="") as text:
                yield text
        unfinished.replace(path)
    except OSError as error:
        raise Invalid(f"{name} cannot be written ({error.strerror or error}): name another file.") from error
    finally:
        unfinished.unlink(missing_ok=True)


def _time(value: str, option: str) -> int | None:
    try:
        return moment(value) if value else None
    except ValueError as error:
        raise Invalid(f"{option}: {error}.") from error
