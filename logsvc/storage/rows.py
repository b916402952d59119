"""Records as rows: the columns, in one order for every store."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import msgspec

from logsvc import severity
from logsvc.ordering import COUNTER_BITS
from logsvc.record import NANOSECONDS, Record, Stored

COLUMNS = (
    "id",
    "seq",
    "received_ns",
    "time_ns",
    "observed_ns",
    "severity",
    "severity_text",
    "service",
    "instance",
    "host",
    "logger",
    "body",
    "attributes",
    "trace_id",
    "span_id",
    "uid",
    "token",
    "notes",
)
NAMES = ", ".join(COLUMNS)
SERVICE, UID, NOTES = (COLUMNS.index(name) for name in ("service", "uid", "notes"))
_TAKEN_UID = "uid: another service has sent one with the same, and this record is kept without."
# The widths of the time buckets that counts are kept in, in seconds.
WIDTHS = (60, 3600, 86_400)
# A time bucket of a service and a level: width, start, service, level, records, bytes.
Bucket = tuple[int, int, str, str, int, int]
# Records and bytes by minute and kind.
Counts = dict[tuple[int, tuple[str, int]], list[int]]
# The memory at which a chunk of rows that are read at once ends.
CHUNK_BYTES = 4 * 1024 * 1024
# What one member of an object, or one item of a list, takes besides its text.
_MEMBER_BYTES = 50
# Of so few characters the members are few.
_SHORT = 200
_NS_PER_MINUTE = 60 * NANOSECONDS
_IDS_PER_MINUTE = 60_000_000 << COUNTER_BITS

_encode = msgspec.json.Encoder().encode
_decode_members = msgspec.json.Decoder(dict[str, Any]).decode
_decode_notes = msgspec.json.Decoder(list[str]).decode


def values(record: Record, uid: Any) -> tuple[Any, ...]:
    """A record's row, with zeros for the three columns that storing it gives; `uid` is as the database has it."""
    return (
        0,
        0,
        0,
        record.time_ns,
        record.observed_ns,
        record.severity,
        record.severity_text,
        record.service,
        record.instance,
        record.host,
        record.logger,
        record.body,
        _encode(record.attributes).decode() if record.attributes else "",
        record.trace_id,
        record.span_id,
        uid,
        record.token,
        _encode(record.notes).decode() if record.notes else "",
    )


class Chunk(NamedTuple):
    """Records that were read at once; `is_last` where there are no more behind them."""

    records: list[Stored]
    is_last: bool


def gathered(rows: Iterable[Sequence[Any]], *, limit: int) -> Chunk:
    """The records of up to `limit` rows, as many of them as CHUNK_BYTES hold, and at least one."""
    found: list[Stored] = []
    total = 0
    for row in rows:
        found.append(record := stored(row))
        total += record.memory_bytes
        if total > CHUNK_BYTES:
            return Chunk(found, False)
    return Chunk(found, len(found) < limit)


def stored(row: Sequence[Any]) -> Stored:
    members = dict(zip(COLUMNS, row, strict=True))
    attributes = members["attributes"]
    memory_bytes = len(members["body"]) + len(attributes)
    if len(attributes) > _SHORT:
        memory_bytes += (attributes.count(",") + attributes.count("{") + attributes.count("[")) * _MEMBER_BYTES
    members["memory_bytes"] = memory_bytes
    members["attributes"] = _decode_members(attributes) if attributes else {}
    members["notes"] = _decode_notes(members["notes"]) if members["notes"] else []
    uid = members["uid"]
    members["uid"] = "" if uid is None else uid.hex() if isinstance(uid, bytes) else str(uid).replace("-", "")
    return Stored(**members)


def without_uid(row: Sequence[Any], no_uid: Any) -> tuple[Any, ...]:
    """The row of a record whose uid another service has used."""
    notes = _decode_notes(row[NOTES]) if row[NOTES] else []
    changed = list(row)
    changed[UID], changed[NOTES] = no_uid, _encode([*notes, _TAKEN_UID]).decode()
    return tuple(changed)


def kind(record: Record) -> tuple[str, int]:
    """The service and the place of the level among `severity.RANGES`, by which records are counted."""
    return record.service, (record.severity + 3) >> 2


def size(row: Sequence[Any]) -> int:
    """The characters of a row's instance, host, logger, body and attributes, which usage and limits of size count."""
    return len(row[11]) + len(row[12]) + len(row[8]) + len(row[9]) + len(row[10])


def counts(minutes: Iterable[int], kinds: Iterable[tuple[str, int]], sizes: Iterable[int], *, sign: int = 1) -> Counts:
    """Count the records and bytes of each minute of a service and a level."""
    found: Counts = {}
    for minute, kind, given in zip(minutes, kinds, sizes, strict=True):
        key = (minute, kind)
        count = found.get(key)
        if count is None:
            found[key] = [sign, sign * given]
        else:
            count[0] += sign
            count[1] += sign * given
    return found


def buckets(counted: Iterable[Counts]) -> list[Bucket]:
    """The buckets of all widths to add counts to, in one order, so that writers never deadlock."""
    sums: dict[tuple[int, int, str, str], list[int]] = {}
    for counts in counted:
        for (minute, (service, number)), (records, given) in counts.items():
            for width in WIDTHS:
                bucket = (width, minute * 60 // width * width, service, severity.RANGES[number].name)
                total = sums.setdefault(bucket, [0, 0])
                total[0] += records
                total[1] += given
    return [(*bucket, records, given) for bucket, (records, given) in sorted(sums.items())]


def minutes_of_times(times: Iterable[int]) -> Iterator[int]:
    return (time_ns // _NS_PER_MINUTE for time_ns in times)


def minutes_of_ids(ids: Iterable[int]) -> Iterator[int]:
    return (identifier // _IDS_PER_MINUTE for identifier in ids)
