"""`application/x-ndjson`: one JSON object a line, as docs/logsvc.md describes it."""

from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct

from logsvc import entries, levels, timestamps
from logsvc.entries import Entry
from logsvc.ingest.outcome import Outcome

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class Line(Struct, frozen=True, kw_only=True):
    """A line as it is sent; members of other names are ignored."""

    message: str
    time: str | int | float | None = None
    level: str | int | None = None
    service: str | None = None
    instance: str | None = None
    logger: str | None = None
    exception: str | None = None
    attributes: dict[str, Any] | None = None
    uid: str | None = None


_decoder = msgspec.json.Decoder(Line)


def read(body: bytes, *, sender: str, now: datetime) -> Outcome:
    """The records of `body`. A line without a service is taken to be of `sender`, one without a time of `now`.

    A line that is no record is listed in the outcome and costs no other line.
    """
    outcome = Outcome()
    for number, line in enumerate(body.removeprefix(_BYTE_ORDER_MARK).split(b"\n"), start=1):
        if not line or line.isspace():
            continue
        try:
            outcome.entries.append(_entry(_decoder.decode(line), sender=sender, now=now))
        except (ValueError, RecursionError) as error:
            outcome.reject(number, str(error))
    return outcome


def _entry(line: Line, *, sender: str, now: datetime) -> Entry:
    return Entry(
        time=now if line.time is None else timestamps.moment(line.time),
        level=levels.Level.INFO if line.level is None else levels.severity(line.level),
        service=entries.text(line.service or sender, at_most=entries.NAME_LENGTH),
        instance=entries.text(line.instance or "", at_most=entries.NAME_LENGTH),
        logger=entries.text(line.logger or "", at_most=entries.LOGGER_LENGTH),
        message=entries.text(line.message, at_most=entries.MESSAGE_LENGTH),
        exception=entries.text(line.exception or "", at_most=entries.EXCEPTION_LENGTH),
        attributes=entries.attributes(line.attributes) if line.attributes else {},
        uid=entries.uid(line.uid),
    )
