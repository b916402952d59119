"""./manage.py logsvc ingest_logs FILE..."""

import gzip
import io
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO, TextIO, cast
from zoneinfo import ZoneInfo

from django.core.management.base import CommandParser

from config.commands import Command as BaseCommand
from config.problems import Invalid
from logsvc import severity
from logsvc.recognition.formats import TEXT_FORMATS, Circumstances
from logsvc.recognition.reader import Origin, Reader
from logsvc.storage.current import store
from logsvc.storage.interface import batches

BATCH = 2000
BAR_WIDTH = 30
_REFRESH_SECONDS = 0.2


class Command(BaseCommand):
    help = "Take in log files: levels and times are recognised where they are unmistakable."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("files", nargs="+", metavar="FILE", help="plain or gzipped; - is the standard input")
        parser.add_argument(
            "--service", default="", help="default: the program that a line names, else the file's name"
        )
        parser.add_argument("--instance", default="")
        parser.add_argument("--host", default="", help="default: the host that a line names")
        parser.add_argument("--format", choices=["auto", *TEXT_FORMATS], default="auto")
        parser.add_argument("--timezone", default="UTC", help="for times without an offset, such as Europe/Zurich")
        parser.add_argument("--dry-run", action="store_true", help="say what is recognised, and store nothing")
        parser.add_argument("--no-progress", action="store_true")

    def run(self, **options: Any) -> None:
        try:
            zone = ZoneInfo(options["timezone"])
        except (ValueError, OSError, KeyError) as error:
            raise Invalid(f"{options['timezone'][:60]!r} is no time zone: use a name such as Europe/Zurich.") from error
        # All of them before the first is stored.
        for path in options["files"]:
            if path != "-":
                try:
                    with Path(path).open("rb") as file:
                        file.read(1)
                except OSError as error:
                    raise Invalid(f"{path} cannot be read ({error.strerror}): name a file.") from error
        total = new = unlevelled = 0
        levels: dict[str, int] = {}
        with Progress(sys.stderr, is_shown=not options["no_progress"] and sys.stderr.isatty()) as progress:
            for path in options["files"]:
                place = path if path == "-" else str(Path(path).resolve())
                given = {name: options[name] for name in ("service", "instance", "host")}
                reader = Reader(
                    origin=Origin(**given, identity="\0".join([place, *given.values()])),
                    circumstances=Circumstances(now=datetime.now(UTC), zone=zone),
                    received_ns=time.time_ns(),
                    format=TEXT_FORMATS.get(options["format"]),
                )
                fallback = "stdin" if path == "-" else Path(path).name.partition(".")[0]
                for batch in batches(reader.read(_lines(path, progress)), BATCH):
                    for record in batch:
                        record.service = record.service or fallback
                        record.token = "ingest_logs"  # noqa: S105 -- the name of who brought it
                        name = severity.range_of(record.severity).name
                        levels[name] = levels.get(name, 0) + 1
                        unlevelled += not record.severity
                    total += len(batch)
                    new += 0 if options["dry_run"] else store().append(batch, received_ns=time.time_ns())
        counted = ", ".join(f"{name} {levels[name]}" for name in severity.NAMES if name in levels)
        known = total - new
        told = "none stored (dry run)" if options["dry_run"] else f"{new} stored, {known} known already"
        self.stdout.write(f"{total} records: {told}. {counted}".strip())


class Progress:
    """A bar on a terminal, by the bytes that were read of all files."""

    def __init__(self, stream: TextIO, *, is_shown: bool) -> None:
        self._stream = stream
        self._is_shown = is_shown
        self._shown_at = 0.0

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, *_: object) -> None:
        if self._is_shown:
            self._stream.write("\r\033[K")

    def show(self, name: str, done: int, size: int) -> None:
        now = time.monotonic()
        if not self._is_shown or now - self._shown_at < _REFRESH_SECONDS:
            return
        self._shown_at = now
        if size:
            share = min(done / size, 1.0)
            bar = "#" * int(share * BAR_WIDTH)
            self._stream.write(f"\r\033[K{name} [{bar:<{BAR_WIDTH}}] {share:4.0%}")
        else:
            self._stream.write(f"\r\033[K{name} {done // 1024} KiB")
        self._stream.flush()


def _lines(path: str, progress: Progress) -> Iterator[str]:
    with ExitStack() as stack:
        if path == "-":
            raw, size = getattr(sys.stdin.buffer, "raw", sys.stdin.buffer), 0
        else:
            raw, size = stack.enter_context(Path(path).open("rb", buffering=0)), Path(path).stat().st_size
        buffered = io.BufferedReader(cast(io.RawIOBase, raw))
        plain: BinaryIO = buffered
        if buffered.peek(2)[:2] == b"\x1f\x8b":
            plain = cast(BinaryIO, gzip.GzipFile(fileobj=buffered))
        text = io.TextIOWrapper(plain, encoding="utf-8-sig", errors="replace", newline="\n")
        try:
            for line in text:
                progress.show(Path(path).name, raw.tell() if size else 0, size)
                yield line.rstrip("\r\n")
        except (gzip.BadGzipFile, EOFError) as error:
            raise Invalid(f"{path} is damaged ({error}): what came before it is stored.") from error
