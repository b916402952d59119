"""Saves records before they are deleted, as gzipped NDJSON in a file for each service and day, and restores them."""

import gzip
import mmap
import os
import re
import zlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from django.conf import settings

from logsvc import representation
from logsvc.access import Services
from logsvc.bounds import uid
from logsvc.ingest import ndjson
from logsvc.ingest.batch import Sender
from logsvc.ordering import nanoseconds
from logsvc.record import NANOSECONDS, Record, Stored
from logsvc.storage.current import store
from logsvc.storage.interface import batches

_BATCH = 1000
_encode = msgspec.json.Encoder().encode_lines
_PIECE_BYTES = 65_536
_MAGIC = b"\x1f\x8b\x08"
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]")


def append(records: Sequence[Stored]) -> None:
    """Write records to the archive; they are on disk when it returns.

    Each call adds a gzip member of its own to a file: one that a crash cut short costs nothing that was archived
    before. A record may be in it twice, when a crash came before it was deleted; `restore` stores it once.
    """
    by_file: dict[Path, list[Stored]] = defaultdict(list)
    for record in records:
        day = datetime.fromtimestamp(nanoseconds(record.id) // NANOSECONDS, tz=UTC).strftime("%Y-%m-%d")
        by_file[Path(settings.ARCHIVE_DIR) / day / f"{_file_name(record.service)}.ndjson.gz"].append(record)
    for path, some in by_file.items():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        member = gzip.compress(_encode(map(representation.record_body, some)), compresslevel=6)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(descriptor, "ab") as file:
            file.write(member)
            file.flush()
            os.fsync(file.fileno())


def files(service: str = "") -> list[Path]:
    """The archive's files, or those of one service, oldest day first."""
    pattern = f"*/{_file_name(service)}.ndjson.gz" if service else "*/*.ndjson.gz"
    return sorted(Path(settings.ARCHIVE_DIR).glob(pattern))


def restore(path: Path, *, received_ns: int) -> int:
    """Store a file's records again, except those that are still stored; returns how many came back.

    They count as new arrivals, and are kept as long.
    """
    sender = Sender(token="", service="", services=Services(are_all=True), received_ns=received_ns)
    return sum(store().append(batch, received_ns=received_ns) for batch in batches(_read(path, sender), _BATCH))


def _read(path: Path, sender: Sender) -> Iterator[Record]:
    for line in _lines(path):
        members = msgspec.json.decode(line)
        batch = ndjson.read(line, sender=sender)
        for record in batch.records:
            record.token = members.get("token", "")
            record.notes = members.get("notes", [])
            # One that came without an id of its own is recognised by its place.
            record.uid = record.uid or uid(f"archive {members['id']} {members['seq']}")
            yield record


def _lines(path: Path) -> Iterator[bytes]:
    """The lines of all whole members. One that a crash cut short is passed over: its records were not deleted."""
    if not path.stat().st_size:
        return
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        start = 0
        while 0 <= start < len(data):
            try:
                lines, end = _member(data, start)
            except (zlib.error, EOFError):
                start = data.find(_MAGIC, start + 1)
                continue
            yield from lines.splitlines()
            start = end


def _member(data: mmap.mmap, start: int) -> tuple[bytes, int]:
    """A member's content and where it ends. Raises zlib.error, EOFError."""
    unpacker, parts, position = zlib.decompressobj(wbits=31), [], start
    while not unpacker.eof:
        piece = data[position : position + _PIECE_BYTES]
        if not piece:
            raise EOFError
        parts.append(unpacker.decompress(piece))
        position += len(piece)
    return b"".join(parts), position - len(unpacker.unused_data)


def _file_name(service: str) -> str:
    """Safe on any file system; two services whose names differ in unsafe characters share none."""
    safe = _UNSAFE.sub("_", service)[:80].lstrip(".")
    return safe if safe == service else f"{safe}-{uid(f'service {service}')[:8]}"
