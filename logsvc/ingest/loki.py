"""Loki's push: streams of lines, each stream with its labels."""

from typing import Any, NamedTuple

import msgspec
from msgspec import Struct

from config.problems import Problem, RawResponse
from logsvc import bounds, severity, timestamps
from logsvc.bounds import Notes
from logsvc.ingest import lenient
from logsvc.ingest.batch import RECORDS_AT_MOST, Batch, Sender, TooManyRecords
from logsvc.record import Record

MEDIA_TYPES = frozenset({"application/json"})
# The labels that name a service, in Loki's own order.
SERVICE_LABELS = ("service_name", "service", "app", "application", "app_kubernetes_io_name", "container", "job")
INSTANCE_LABELS = ("service_instance_id", "instance", "pod")
HOST_LABELS = ("host", "hostname", "host_name", "node", "nodename", "node_name")
LOGGER_LABELS = ("logger", "scope_name")
LEVEL_LABELS = ("level", "detected_level", "severity", "severity_text", "lvl")
_NAMING = frozenset((*SERVICE_LABELS, *INSTANCE_LABELS, *HOST_LABELS, *LOGGER_LABELS, *LEVEL_LABELS))


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
    if len(push.streams) > RECORDS_AT_MOST:
        raise TooManyRecords
    batch, place = Batch(sender=sender), 0
    for stream in push.streams:
        named, size_bytes = _named(stream.stream), bounds.size(stream.stream)
        for value in stream.values:
            place += 1
            notes = Notes()
            batch.copy(size_bytes)
            try:
                record = _record(stream.stream, named, value, sender, notes)
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


class _Named(NamedTuple):
    """The source of a record, as its labels name it."""

    service: str
    instance: str
    host: str
    logger: str
    level: str


def _named(labels: dict[str, str]) -> _Named:
    return _Named(
        service=_first(labels, SERVICE_LABELS),
        instance=_first(labels, INSTANCE_LABELS),
        host=_first(labels, HOST_LABELS),
        logger=_first(labels, LOGGER_LABELS),
        level=_first(labels, LEVEL_LABELS),
    )


def _record(labels: dict[str, str], of_stream: _Named, value: list[Any], sender: Sender, notes: Notes) -> Record:
    match value:
        case [str(time), str(line)]:
            named, members = of_stream, dict(labels)
        case [str(time), str(line), dict(metadata)]:
            members = {**labels, **metadata}
            for name, each in metadata.items():
                if type(each) is not str:
                    members[name] = str(each)
            named = of_stream if _NAMING.isdisjoint(metadata) else _named(members)
        case _:
            raise ValueError('A value is ["<nanoseconds>", "<line>"], and may have an object of texts as its third.')
    if not (time.isascii() and time.removeprefix("-").isdecimal() and len(time) < 40):
        raise ValueError(f"{time[:40]!r} is not a time: give nanoseconds since 1970 as a text of digits.")
    time_ns = int(time)
    if not timestamps.LOWEST_NS <= time_ns <= timestamps.HIGHEST_NS:
        notes.add(f"time: {time[:40]} is out of range; the arrival stands for it.")
        time_ns = sender.received_ns
    trace_id, span_id = members.pop("trace_id", ""), members.pop("span_id", "")
    found = Record(
        time_ns=time_ns,
        observed_ns=sender.received_ns,
        severity=(severity.known(named.level) or 0) if named.level else 0,
        severity_text=named.level,
        service=named.service or sender.service,
        instance=named.instance,
        host=named.host,
        logger=named.logger,
        body=bounds.text(line.rstrip("\n"), "line", notes, at_most=bounds.BODY_LENGTH),
        attributes=bounds.attributes(members, notes, given_bytes=sum(map(len, members.values())) * 2),
        trace_id=bounds.hex_id(trace_id, 32) if trace_id else "",
        span_id=bounds.hex_id(span_id, 16) if span_id else "",
    )
    bounds.names(found, notes)
    return found


def _first(labels: dict[str, str], names: tuple[str, ...]) -> str:
    return next((labels[name] for name in names if labels.get(name)), "")
