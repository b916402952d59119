"""`text/plain`: one line a record, for whatever can send nothing else."""

from datetime import datetime

from logsvc import entries
from logsvc.entries import Entry
from logsvc.ingest.outcome import Outcome


def read(body: bytes, *, service: str, level: int, now: datetime) -> Outcome:
    """A record of `service` for every line that is not blank; bytes that are no UTF-8 are replaced, none refused."""
    lines = body.decode("utf-8-sig", errors="replace").split("\n")
    return Outcome(
        entries=[_entry(line.rstrip(), service, level, now) for line in lines if line and not line.isspace()]
    )


def _entry(line: str, service: str, level: int, now: datetime) -> Entry:
    return Entry(
        time=now,
        level=level,
        service=entries.text(service, at_most=entries.NAME_LENGTH),
        message=entries.text(line, at_most=entries.MESSAGE_LENGTH),
        uid=entries.uid(None),
    )
