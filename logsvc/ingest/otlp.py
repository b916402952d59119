"""OTLP/HTTP logs in protobuf and in JSON: both are flattened into records by the same rules."""

import base64
from collections.abc import Iterable
from itertools import islice
from typing import Any, NamedTuple

import msgspec
from google.protobuf.message import DecodeError
from google.rpc.status_pb2 import Status
from msgspec import Struct
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsPartialSuccess,
    ExportLogsServiceRequest,
    ExportLogsServiceResponse,
)

from config.problems import Problem, RawResponse
from logsvc import bounds, severity, timestamps
from logsvc.bounds import Notes
from logsvc.ingest import answers, lenient
from logsvc.ingest.batch import Batch, Sender
from logsvc.record import Record

PROTOBUF, JSON = "application/x-protobuf", "application/json"
MEDIA_TYPES = frozenset({PROTOBUF, JSON})
# The standard attribute of a record's own id, by which a retry is recognised.
UID = "log.record.uid"
_MOST_NESTED = 64
_MOST_PAIRS = 10_000
# google.rpc.Code of the statuses that are answered.
_CODES = {400: 3, 401: 16, 403: 7, 404: 5, 405: 12, 413: 3, 415: 3, 422: 3, 429: 8, 503: 14}
_UNKNOWN = 2


class _Source(NamedTuple):
    """The members that a resource and a scope give all their records."""

    service: str
    instance: str
    host: str
    logger: str
    attributes: dict[str, Any]
    # What each of its records is given of these.
    size_bytes: int


class _Given(Struct, gc=False):
    """A log record's own members."""

    time_ns: int
    observed_ns: int
    severity: int
    severity_text: str
    body: Any
    attributes: dict[str, Any]
    trace_id: str
    span_id: str
    event: str
    dropped: int


def read(body: bytes, *, sender: Sender, content_type: str) -> Batch:
    """Read the records of an export request. Raises Problem for a malformed body."""
    batch = Batch(sender=sender)
    records = _from_json(body) if content_type == JSON else _from_protobuf(body)
    for place, (source, given) in enumerate(records, start=1):
        notes = Notes()
        batch.copy(source.size_bytes)
        try:
            record = _record(source, _given(given, notes) if isinstance(given, msgspec.Raw) else given, sender, notes)
        except (ValueError, TypeError, RecursionError) as error:
            batch.reject(place, str(error))
        else:
            batch.add(place, record, notes)
    return batch


def accept(batch: Batch, content_type: str) -> RawResponse:
    if content_type == JSON:
        members = {"rejectedLogRecords": str(batch.rejected_count), "errorMessage": batch.summary()}
        body = msgspec.json.encode({"partialSuccess": members} if batch.rejected_count else {})
        return RawResponse(status=200, headers=answers.JSON, body=body)
    response = ExportLogsServiceResponse()
    if batch.rejected_count:
        response.partial_success.CopyFrom(
            ExportLogsPartialSuccess(rejected_log_records=batch.rejected_count, error_message=batch.summary())
        )
    headers = ((b"content-type", PROTOBUF.encode()),)
    return RawResponse(status=200, headers=headers, body=response.SerializeToString())


def refuse(problem: Problem, content_type: str) -> RawResponse:
    """A `google.rpc.Status` in the request's own encoding, as OTLP wants it."""
    code, message = _CODES.get(problem.status, _UNKNOWN), problem.detail
    if content_type == PROTOBUF:
        kind, body = PROTOBUF, Status(code=code, message=message).SerializeToString()
    else:
        kind, body = JSON, msgspec.json.encode({"code": code, "message": message})
    headers = [(b"content-type", kind.encode())]
    headers += [(name.lower().encode(), value.encode("latin-1")) for name, value in problem.headers.items()]
    return RawResponse(status=problem.status, headers=tuple(headers), body=body)


def _record(source: _Source, given: _Given, sender: Sender, notes: Notes) -> Record:
    members = dict(source.attributes)
    for name, value in given.attributes.items():
        if name in members and members[name] != value:
            members[f"resource.{name}"] = members[name]
        members[name] = value
    uid = members.pop(UID, "")
    if given.event:
        members.setdefault("event.name", given.event)
    if given.dropped:
        notes.add(f"attributes: the sender left out {given.dropped}.")
    body = given.body
    if type(body) is not str:
        body = "" if body is None else msgspec.json.encode(body).decode()
    time_ns, observed_ns = given.time_ns, _within_range(given.observed_ns)
    if time_ns and not _within_range(time_ns):
        notes.add(f"time: {time_ns} is out of range; the arrival stands for it.")
        time_ns = sender.received_ns
    number = given.severity if 0 < given.severity <= severity.HIGHEST else severity.known(given.severity_text) or 0
    if given.severity > severity.HIGHEST or given.severity < 0:
        notes.add(f"severity_number: {given.severity} is not from 0 to {severity.HIGHEST}.")
    # More than they will be as JSON where that matters: texts count double.
    given_bytes = 0
    for value in members.values():
        kind = type(value)
        if kind is str:
            given_bytes += len(value) * 2
        else:
            given_bytes += bounds.ATTRIBUTES_BYTES if kind is dict or kind is list else 16
    record = Record(
        time_ns=time_ns or observed_ns or sender.received_ns,
        observed_ns=observed_ns or sender.received_ns,
        severity=number,
        severity_text=given.severity_text,
        service=source.service or sender.service,
        instance=source.instance,
        host=source.host,
        logger=source.logger,
        body=bounds.text(body, "body", notes, at_most=bounds.BODY_LENGTH),
        attributes=bounds.attributes(members, notes, given_bytes=given_bytes) if members else members,
        trace_id=given.trace_id,
        span_id=given.span_id,
        uid="" if uid == "" else bounds.uid(uid if isinstance(uid, str) else str(uid)),
    )
    bounds.names(record, notes)
    return record


def _within_range(time_ns: int) -> int:
    return time_ns if 0 < time_ns <= timestamps.HIGHEST_NS else 0


def _source(resource: dict[str, Any], scope: str, version: str, scope_attributes: dict[str, Any]) -> _Source:
    members = dict(resource)
    if version:
        members["otel.scope.version"] = version
    for name, value in scope_attributes.items():
        members.setdefault(name, value)
    attributes = {
        name: value
        for name, value in members.items()
        if not (name in ("service.name", "service.instance.id", "host.name") and isinstance(value, str))
    }
    return _Source(
        service=_named(resource, "service.name"),
        instance=_named(resource, "service.instance.id"),
        host=_named(resource, "host.name"),
        logger=scope,
        attributes=attributes,
        size_bytes=bounds.size(attributes),
    )


def _named(members: dict[str, Any], name: str) -> str:
    value = members.get(name)
    return value if isinstance(value, str) else ""


# Protobuf


def _from_protobuf(body: bytes) -> Iterable[tuple[_Source, _Given | msgspec.Raw]]:
    try:
        request = ExportLogsServiceRequest.FromString(body)
    except (DecodeError, RecursionError, ValueError) as error:
        raise Problem(f"The body is no ExportLogsServiceRequest: {error}.") from error
    for resource_logs in request.resource_logs:
        resource = _members(resource_logs.resource.attributes)
        for scope_logs in resource_logs.scope_logs:
            scope = scope_logs.scope
            source = _source(resource, scope.name, scope.version, _members(scope.attributes))
            for each in scope_logs.log_records:
                trace, span = each.trace_id, each.span_id
                given = _Given(
                    each.time_unix_nano,
                    each.observed_time_unix_nano,
                    each.severity_number,
                    each.severity_text,
                    _value(each.body, 0),
                    _members(each.attributes),
                    bounds.hex_id(trace.hex(), 32) if trace else "",
                    bounds.hex_id(span.hex(), 16) if span else "",
                    each.event_name,
                    each.dropped_attributes_count,
                )
                yield source, given


def _members(pairs: Iterable[Any], depth: int = 0) -> dict[str, Any]:
    members = {}
    # Of so many only the first few hundred names are kept.
    for pair in islice(pairs, _MOST_PAIRS):
        value = pair.value
        # A text that is not empty is the value; most values are such.
        members[pair.key] = value.string_value or _value(value, depth)
    return members


def _value(value: Any, depth: int) -> Any:
    match value.WhichOneof("value"):
        case "string_value":
            return value.string_value
        case "int_value":
            return value.int_value
        case "bool_value":
            return value.bool_value
        case "double_value":
            return value.double_value
        case None:
            return None
        case "bytes_value":
            return base64.b64encode(value.bytes_value).decode()
        case _ if depth >= _MOST_NESTED:
            return bounds.MARK
        case "array_value":
            return [_value(each, depth + 1) for each in value.array_value.values]
        case "kvlist_value":
            return _members(value.kvlist_value.values, depth + 1)
    return None


# JSON: 64-bit integers come as numbers or as texts, ids as hex, and what is not known is ignored.


class _Pair(Struct, frozen=True):
    key: str = ""
    value: dict[str, Any] | None = None


class _Resource(Struct, frozen=True):
    attributes: list[_Pair] = []


class _Scope(Struct, frozen=True):
    name: str = ""
    version: str = ""
    attributes: list[_Pair] = []


class _LogRecord(Struct, frozen=True, rename="camel"):
    time_unix_nano: int | str = 0
    observed_time_unix_nano: int | str = 0
    severity_number: int | str = 0
    severity_text: str = ""
    body: dict[str, Any] | None = None
    attributes: list[_Pair] = []
    dropped_attributes_count: int = 0
    trace_id: str = ""
    span_id: str = ""
    event_name: str = ""


class _ScopeLogs(Struct, frozen=True, rename="camel"):
    scope: _Scope | None = None
    log_records: list[msgspec.Raw] = []


class _ResourceLogs(Struct, frozen=True, rename="camel"):
    resource: _Resource | None = None
    scope_logs: list[_ScopeLogs] = []


class _Request(Struct, frozen=True, rename="camel"):
    resource_logs: list[_ResourceLogs] = []


_request_decoder = msgspec.json.Decoder(_Request)
_record_decoder = msgspec.json.Decoder(_LogRecord)


def _from_json(body: bytes) -> Iterable[tuple[_Source, _Given | msgspec.Raw]]:
    """Each record is decoded in its turn, so that a bad one costs only itself."""
    try:
        request = lenient.read_repaired(_request_decoder, body)
    except (ValueError, RecursionError) as error:
        raise Problem(f"The body is no ExportLogsServiceRequest in JSON: {error}.") from error
    for resource_logs in request.resource_logs:
        resource = _json_members(resource_logs.resource.attributes if resource_logs.resource else [], 0)
        for scope_logs in resource_logs.scope_logs:
            scope = scope_logs.scope or _Scope()
            source = _source(resource, scope.name, scope.version, _json_members(scope.attributes, 0))
            for raw in scope_logs.log_records:
                yield source, raw


def _given(raw: msgspec.Raw, notes: Notes) -> _Given:
    text = bytes(raw)
    if lenient.REPAIRED in text:
        notes.add("half a character was replaced by U+FFFD, here or where it was sent from.")
    each = lenient.read(_record_decoder, text, notes)
    number = each.severity_number
    if isinstance(number, str) and number.startswith("SEVERITY_NUMBER_"):
        # An enum is an integer in OTLP's JSON; some senders write its name, as protobuf's own JSON does.
        number = severity.known(number.removeprefix("SEVERITY_NUMBER_")) or 0
    return _Given(
        time_ns=_integer(each.time_unix_nano),
        observed_ns=_integer(each.observed_time_unix_nano),
        severity=_integer(number),
        severity_text=each.severity_text,
        body=None if each.body is None else _json_value(each.body, 0),
        attributes=_json_members(each.attributes, 0),
        trace_id=bounds.hex_id(each.trace_id, 32),
        span_id=bounds.hex_id(each.span_id, 16),
        event=each.event_name,
        dropped=each.dropped_attributes_count,
    )


def _json_members(pairs: Iterable[_Pair], depth: int) -> dict[str, Any]:
    return {pair.key: _json_value(pair.value or {}, depth) for pair in islice(pairs, _MOST_PAIRS)}


def _json_value(value: dict[str, Any], depth: int) -> Any:
    for name, each in value.items():
        match name, each:
            case ("stringValue", str()) | ("boolValue", bool()) | ("bytesValue", str()):
                return each
            case "intValue", int() | str():
                return _integer(each)
            case "doubleValue", int() | float() | str():
                return float(each)
            case "arrayValue", dict() if depth < _MOST_NESTED:
                return [_json_value(item, depth + 1) for item in each.get("values") or [] if isinstance(item, dict)]
            case "kvlistValue", dict() if depth < _MOST_NESTED:
                return _json_members(msgspec.convert(each.get("values") or [], list[_Pair]), depth + 1)
            case "arrayValue" | "kvlistValue", dict():
                return bounds.MARK
    return None


def _integer(value: int | str) -> int:
    if isinstance(value, str):
        if not (value.isascii() and value.removeprefix("-").isdecimal() and len(value) < 40):
            raise ValueError(f"{value[:40]!r} is not a whole number.")
        return int(value)
    return value
