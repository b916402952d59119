"""`application/x-ndjson`: one JSON object a line, as docs/logsvc.md describes it."""

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Struct

from config.problems import Problem, RawResponse
from logsvc import bounds, severity, timestamps
from logsvc.bounds import Notes
from logsvc.ingest import answers, lenient
from logsvc.ingest.batch import Batch, Sender
from logsvc.record import EXCEPTION_STACKTRACE, Record

MEDIA_TYPES = frozenset(
    {"application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines", "application/json"}
)
_NO_ARRAY = "A line holds one JSON object: send the items of an array as lines of their own."
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class Line(Struct, frozen=True, kw_only=True, gc=False):
    """A line as it is sent; members of other names are ignored."""

    message: str | None = None
    body: str | None = None
    time: str | int | float | None = None
    observed_time: str | int | float | None = None
    level: str | int | None = None
    severity_number: int | str | None = None
    severity_text: str | None = None
    service: str | None = None
    instance: str | None = None
    host: str | None = None
    logger: str | None = None
    exception: str | None = None
    attributes: dict[str, Any] | None = None
    trace_id: str | None = None
    span_id: str | None = None
    uid: str | None = None


_decoder = msgspec.json.Decoder(Line)


def read(body: bytes, *, sender: Sender, content_type: str = "") -> Batch:
    """Read the records of `body`. A missing service is the sender's, a missing time that of the arrival.

    A line that is no record is listed as rejected and costs no other line.
    """
    batch = Batch(sender=sender)
    body = body.removeprefix(_BYTE_ORDER_MARK)
    lines = body.split(b"\n")
    longest = max(map(len, lines))
    given: Sequence[bytes | Line] = _read_whole(body, len(lines)) or lines
    for number, line in enumerate(given, start=1):
        if not line or (isinstance(line, bytes) and line.isspace()):
            continue
        notes = Notes()
        try:
            decoded = line if isinstance(line, Line) else lenient.read(_decoder, line, notes)
            batch.add(number, _record(decoded, sender, notes, longest), notes)
        except RecursionError:
            batch.reject(number, "It is nested too deep.")
        except ValueError as error:
            is_array = isinstance(line, bytes) and line.lstrip().startswith(b"[")
            batch.reject(number, _NO_ARRAY if is_array else str(error))
    return batch


def _read_whole(body: bytes, count: int) -> list[Line] | None:
    """The lines of a body in which each is a record, decoded at once; else None."""
    # As many objects as lines that begin one: none is beside another in its line, and no line is blank.
    if body.count(b"\n{") + body.startswith(b"{") + body.endswith(b"\n") != count:
        return None
    try:
        lines = _decoder.decode_lines(body)
    except (ValueError, RecursionError):
        return None
    return lines if len(lines) == count - body.endswith(b"\n") else None


def accept(batch: Batch, content_type: str) -> RawResponse:
    return answers.counts(batch)


def refuse(problem: Problem, content_type: str) -> RawResponse:
    return problem.response()


def _record(line: Line, sender: Sender, notes: Notes, given_bytes: int) -> Record:
    message = line.message if line.message is not None else line.body
    if message is None:
        raise ValueError("Object missing required field `message`")
    number, word = _severity(line)
    attributes = bounds.attributes(line.attributes, notes, given_bytes=given_bytes) if line.attributes else {}
    if line.exception and EXCEPTION_STACKTRACE not in attributes:
        attributes[EXCEPTION_STACKTRACE] = bounds.text(
            line.exception, "exception", notes, at_most=bounds.STACKTRACE_LENGTH
        )
    received_ns = sender.received_ns
    record = Record(
        time_ns=received_ns if line.time is None else _time(line.time, "time", received_ns, notes),
        observed_ns=received_ns
        if line.observed_time is None
        else _time(line.observed_time, "observed_time", received_ns, notes),
        severity=number,
        severity_text=word,
        service=line.service or sender.service,
        instance=line.instance or "",
        host=line.host or "",
        logger=line.logger or "",
        body=bounds.text(message, "message", notes, at_most=bounds.BODY_LENGTH),
        attributes=attributes,
        trace_id=_identifier(line.trace_id, "trace_id", 32, notes) if line.trace_id else "",
        span_id=_identifier(line.span_id, "span_id", 16, notes) if line.span_id else "",
        uid=bounds.uid(line.uid) if line.uid else "",
    )
    bounds.names(record, notes)
    return record


def _severity(line: Line) -> tuple[int, str]:
    if line.severity_number is not None:
        given = line.severity_number
        number = int(given) if isinstance(given, int) else severity.from_level(given)
        if not 0 <= number <= severity.HIGHEST:
            raise ValueError(f"severity_number {str(number)[:40]} is not from 0 to {severity.HIGHEST}")
        word = line.level if line.severity_text is None and isinstance(line.level, str) else line.severity_text
        return number, word or ""
    if line.level is not None:
        number = severity.from_level(line.level)
        return number, line.severity_text or (line.level if isinstance(line.level, str) else "")
    if line.severity_text:
        return severity.known(line.severity_text) or 0, line.severity_text
    return int(severity.Severity.INFO), ""


def _time(given: str | int | float, name: str, received_ns: int, notes: Notes) -> int:
    if type(given) is int and timestamps.NANOSECONDS_FROM <= given <= timestamps.HIGHEST_NS:
        return given
    try:
        return timestamps.nanoseconds(given)
    except timestamps.OutOfRange as error:
        notes.add(f"{name}: {error}; the arrival stands for it.")
        return received_ns


def _identifier(given: str, name: str, digits: int, notes: Notes) -> str:
    valid = bounds.hex_id(given, digits)
    if not valid and given.strip("0"):
        notes.add(f"{name}: {given[:40]!r} is not {digits} hex digits and was left out.")
    return valid
