"""Loki's push: streams of lines, each stream with its labels."""

from typing import Any

import msgspec
from msgspec import Struct

from config.problems import Problem, RawResponse
from logsvc import bounds, severity, timestamps
from logsvc.bounds import Notes
from logsvc.ingest import lenient
from logsvc.ingest.batch import Batch, Sender
from logsvc.record import Record

MEDIA_TYPES = frozenset({"application/json"})
# The labels that name a service, in Loki's own order.
SERVICE_LABELS = ("service_name", "service", "app", "application", "app_kubernetes_io_name", "container", "job")
INSTANCE_LABELS = ("service_instance_id", "instance", "pod")
HOST_LABELS = ("host", "hostname", "host_name", "node", "nodename", "node_name")
LOGGER_LABELS = ("logger", "scope_name")
LEVEL_LABELS = ("level", "detected_level", "severity", "severity_text", "lvl")


class Stream(Struct, frozen=True):
    stream: dict[str, str] = {}
    values: list[list[Any]] = []


class Push(Struct, frozen=True):
    streams: list[Stream]


_decoder = msgspec.json.Decoder(Push)


def read(body: bytes, *, sender: Sender, content_type: str = "") -> Batch:
    """The records of all streams. Labels and structured metadata are kept as attributes; those that name a service, an
    instance, a host or a level say it of the record too.
    """
    try:
        push = lenient.read(_decoder, body, Notes())
    except (ValueError, RecursionError) as error:
        raise Problem(f"The body is not a Loki push: {error}.") from error
    batch, place = Batch(sender=sender), 0
    for stream in push.streams:
        for value in stream.values:
            place += 1
            notes = Notes()
            try:
                record = _record(stream.stream, value, sender, notes)
            except ValueError as error:
                batch.reject(place, str(error))
            else:
                batch.add(place, record, notes)
    return batch


def accept(batch: Batch, content_type: str) -> RawResponse:
    """Answer as Loki does: 204, or 400 with a sentence when some lines were rejected."""
    if not batch.rejected_count:
        return RawResponse(status=204, headers=(), body=b"")
    return RawResponse(
        status=400, headers=((b"content-type", b"text/plain; charset=utf-8"),), body=f"{batch.summary()}\n".encode()
    )


def refuse(problem: Problem, content_type: str) -> RawResponse:
    return problem.response()


def record(
    labels: dict[str, str], metadata: dict[str, str], line: str, time_ns: int, sender: Sender, notes: Notes
) -> Record:
    """Make a record of one line."""
    named = {**labels, **metadata}
    word = _first(named, LEVEL_LABELS)
    attributes = {name: value for name, value in named.items() if name not in ("trace_id", "span_id")}
    found = Record(
        time_ns=time_ns,
        observed_ns=sender.received_ns,
        severity=(severity.known(word) or 0) if word else 0,
        severity_text=word,
        service=_first(named, SERVICE_LABELS) or sender.service,
        instance=_first(named, INSTANCE_LABELS),
        host=_first(named, HOST_LABELS),
        logger=_first(named, LOGGER_LABELS),
        body=bounds.text(line.rstrip("\n"), "line", notes, at_most=bounds.BODY_LENGTH),
        attributes=bounds.attributes(attributes, notes, given_bytes=sum(map(len, attributes.values())) * 2),
        trace_id=bounds.hex_id(named.get("trace_id", ""), 32),
        span_id=bounds.hex_id(named.get("span_id", ""), 16),
    )
    bounds.names(found, notes)
    return found


def _record(labels: dict[str, str], value: list[Any], sender: Sender, notes: Notes) -> Record:
    match value:
        case [str(time), str(line)]:
            metadata: dict[str, str] = {}
        case [str(time), str(line), dict(members)]:
            metadata = {name: each if isinstance(each, str) else str(each) for name, each in members.items()}
        case _:
            raise ValueError('A value is ["<nanoseconds>", "<line>"], and may have an object of texts as its third.')
    if not (time.isascii() and time.removeprefix("-").isdecimal() and len(time) < 40):
        raise ValueError(f"{time[:40]!r} is not a time: give nanoseconds since 1970 as a text of digits.")
    time_ns = int(time)
    if not timestamps.LOWEST_NS <= time_ns <= timestamps.HIGHEST_NS:
        notes.add(f"time: {time[:40]} is out of range; the arrival stands for it.")
        time_ns = sender.received_ns
    return record(labels, metadata, line, time_ns, sender, notes)


def _first(labels: dict[str, str], names: tuple[str, ...]) -> str:
    return next((labels[name] for name in names if labels.get(name)), "")
