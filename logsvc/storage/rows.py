"""Records as rows: the columns, in one order for every store."""

from collections.abc import Callable, Container, Sequence
from typing import Any

import msgspec

from logsvc import severity
from logsvc.ordering import COUNTER_BITS
from logsvc.record import Record, Stored

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
# The widths of the time buckets that counts are kept in, in seconds.
WIDTHS = (60, 3600, 86_400)
_MICROSECONDS_PER_MINUTE = 60_000_000

_encode = msgspec.json.Encoder().encode
_decode_members = msgspec.json.Decoder(dict[str, Any]).decode
_decode_notes = msgspec.json.Decoder(list[str]).decode


def row(record: Record, *, identifier: int, seq: int, received_ns: int) -> tuple[Any, ...]:
    return (
        identifier,
        seq,
        received_ns,
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
        record.uid or None,
        record.token,
        _encode(record.notes).decode() if record.notes else "",
    )


def stored(values: Sequence[Any]) -> Stored:
    members = dict(zip(COLUMNS, values, strict=True))
    members["attributes"] = _decode_members(members["attributes"]) if members["attributes"] else {}
    members["notes"] = _decode_notes(members["notes"]) if members["notes"] else []
    uid = members["uid"]
    members["uid"] = "" if uid is None else uid.hex() if isinstance(uid, bytes) else str(uid).replace("-", "")
    return Stored(**members)


def size(values: Sequence[Any]) -> int:
    """The characters of a row's instance, host, logger, body and attributes, which usage and limits of size count."""
    return len(values[11]) + len(values[12]) + len(values[8]) + len(values[9]) + len(values[10])


def new_places(records: Sequence[Record], known_uids: Callable[[list[str]], Container[str]]) -> Sequence[int]:
    """The places in a batch of the records whose uid is not stored, each uid once."""
    first_places: dict[str, int] = {}
    for index, record in enumerate(records):
        if record.uid:
            first_places.setdefault(record.uid, index)
    if not first_places:
        return range(len(records))
    known = known_uids(list(first_places))
    return [
        index
        for index, record in enumerate(records)
        if not record.uid or (record.uid not in known and first_places[record.uid] == index)
    ]


class Tally:
    """Counts records and bytes in each time bucket of a service and a level."""

    def __init__(self) -> None:
        self._counts: dict[tuple[int, str, int], list[int]] = {}

    def add(self, values: Sequence[Any], *, sign: int = 1) -> None:
        """Count a row."""
        # id, service, severity.
        key = ((values[0] >> COUNTER_BITS) // _MICROSECONDS_PER_MINUTE, values[7], (values[5] + 3) >> 2)
        given = size(values)
        found = self._counts.get(key)
        if found is None:
            self._counts[key] = [sign, sign * given]
        else:
            found[0] += sign
            found[1] += sign * given

    def rows(self) -> list[tuple[int, int, str, str, int, int]]:
        """Width, start, service, level, records, bytes; in one order, so that writers never deadlock."""
        sums: dict[tuple[int, int, str, str], list[int]] = {}
        for (minute, service, number), (records, size) in self._counts.items():
            for width in WIDTHS:
                key = (width, minute * 60 // width * width, service, severity.RANGES[number].name)
                total = sums.setdefault(key, [0, 0])
                total[0] += records
                total[1] += size
        return [(*key, total[0], total[1]) for key, total in sorted(sums.items())]
