"""The internal record, common to every way of sending."""

from typing import Any

from msgspec import Struct

NANOSECONDS = 1_000_000_000

# OpenTelemetry's standard attributes of an error; the full-text index covers the last two.
EXCEPTION_TYPE = "exception.type"
EXCEPTION_MESSAGE = "exception.message"
EXCEPTION_STACKTRACE = "exception.stacktrace"


class Record(Struct, kw_only=True, gc=False):
    """A record on its way into the store. Times are nanoseconds since 1970, in UTC.

    `time_ns` is the sender's own time, kept as sent; `observed_ns` is when somebody first saw the record, which is when
    it arrived unless the sender says better. `severity` is OpenTelemetry's number (logsvc/severity.py), `severity_text`
    the sender's own word for it. `attributes` are JSON values by name; the resource's are among them. `trace_id` and
    `span_id` are lower-case hex, "" for none. `uid` is 32 hex digits: a second record with the same is not stored; ""
    for a record that nobody sends twice. `token` names the token that sent it. `notes` say what was cut or changed on
    the way in, one sentence each.
    """

    time_ns: int
    observed_ns: int
    service: str
    body: str
    severity: int = 9
    severity_text: str = ""
    instance: str = ""
    host: str = ""
    logger: str = ""
    attributes: dict[str, Any] = {}
    trace_id: str = ""
    span_id: str = ""
    uid: str = ""
    token: str = ""
    notes: list[str] = []


class Stored(Record, kw_only=True, gc=False):
    """A record as the store keeps it.

    `id` is the record's place in the order of the records' own times, ties by arrival: the greatest is the newest. A
    time that cannot be true (logsvc/ordering.py) is kept, but the record is ordered by its arrival. `seq` counts
    arrivals: a record that becomes visible later has a greater one, whatever its time. `received_ns` is the arrival.
    `memory_bytes` is roughly what it takes here.
    """

    id: int
    seq: int
    received_ns: int
    memory_bytes: int = 0


def exception_text(record: Record) -> str:
    """The text of an error in the standard attributes: its stack trace, else its type and message."""
    attributes = record.attributes
    stack = attributes.get(EXCEPTION_STACKTRACE)
    if isinstance(stack, str) and stack:
        return stack
    if EXCEPTION_TYPE not in attributes and EXCEPTION_MESSAGE not in attributes:
        return ""
    parts = (attributes.get(EXCEPTION_TYPE), attributes.get(EXCEPTION_MESSAGE))
    return ": ".join(part for part in parts if isinstance(part, str) and part)
