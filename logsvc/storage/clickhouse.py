"""Records in ClickHouse: a table by id with a text index, whose projections know the uids and keep the counts.

Projections and indexes are part of the same files as the rows, so that one insert stores all of them or none. What
ClickHouse has no transactions for, the order of arrivals, is in Django's own database (head.py).
"""

# ruff: noqa: S608 -- what stands in the statements is a number, a name of ours, or a literal from `quoted`

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.db import transaction

from logsvc import severity
from logsvc.ordering import COUNTER_BITS, HIGHEST_ID
from logsvc.record import NANOSECONDS, Record, Stored
from logsvc.storage import conditions, head, terms
from logsvc.storage.clickhouse_http import Clickhouse, Missing, quoted
from logsvc.storage.conditions import Node
from logsvc.storage.indexed import STATEMENT_SECONDS, IndexedStore
from logsvc.storage.interface import Histogram, Size, Usage
from logsvc.storage.prepared import Placed, Prepared, joined
from logsvc.storage.rows import COLUMNS, NAMES, WIDTHS, Chunk, gathered, size, stored, values

TABLE = "logsvc_log"
_MINUTE = f"intDiv(bitShiftRight(id, {COUNTER_BITS}), 60000000)"
_LEVEL = "intDiv(severity + 3, 4)"
# A part of ids is a month, as what is sent may be of any time: days would make too many partitions.
SCHEMA = f"""
CREATE TABLE IF NOT EXISTS {TABLE} (
    id Int64, seq Int64, received_ns Int64, time_ns Int64, observed_ns Int64, severity UInt8,
    severity_text LowCardinality(String), service LowCardinality(String), instance LowCardinality(String),
    host LowCardinality(String), logger LowCardinality(String), body String CODEC(ZSTD(1)),
    attributes String CODEC(ZSTD(1)), trace_id String, span_id String, uid String, token LowCardinality(String),
    notes String, stored_bytes UInt32, words Array(String) CODEC(ZSTD(1)), tags Array(String) CODEC(ZSTD(1)),
    INDEX logsvc_words words TYPE text(tokenizer = 'array'),
    INDEX logsvc_tags tags TYPE text(tokenizer = 'array'),
    INDEX logsvc_seq seq TYPE minmax,
    PROJECTION logsvc_uid (SELECT uid, id ORDER BY uid),
    PROJECTION logsvc_count (
        SELECT {_MINUTE}, service, {_LEVEL}, count(), sum(stored_bytes) GROUP BY {_MINUTE}, service, {_LEVEL}
    )
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(fromUnixTimestamp64Micro(bitShiftRight(id, {COUNTER_BITS})))
ORDER BY id
SETTINGS lightweight_mutation_projection_mode = 'rebuild', index_granularity = 4096
"""
_INSERTED = (*COLUMNS, "stored_bytes", "words", "tags")


class ClickhouseStore(IndexedStore):
    # Each is a mutation that looks at every part.
    deleted_at_once = 20_000
    no_uid = ""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._clickhouse = Clickhouse(url, timeout_seconds=STATEMENT_SECONDS)

    def forget(self) -> None:
        super().forget()
        self._clickhouse.disconnect()

    # Storing

    def append_prepared(self, batches: Sequence[Prepared], *, received_ns: int) -> int:
        batch = joined(batches)
        failure: Exception | None = None
        # The row that numbers arrivals stays locked while they are stored, so that tails see them in order.
        with transaction.atomic():
            first_seq = head.take(len(batch))
            # Beyond all that is stored, also by a process that was killed before it could say so.
            ((stray,),) = self._rows(f"SELECT max(seq) FROM {TABLE} WHERE seq >= {first_seq}")
            if stray >= first_seq:
                head.take(stray - first_seq + 1)
                first_seq = int(stray) + 1
            try:
                placed = self._place(batch, first_seq=first_seq, received_ns=received_ns)
                if placed.ids:
                    self._clickhouse.insert(TABLE, _INSERTED, _inserted(placed))
            except Exception as error:
                # The numbers are used up: what a lost connection has left in doubt may be stored under them.
                failure = error
        if failure is not None:
            raise failure
        return len(placed.ids)

    def _row_of(self, record: Record) -> tuple[Any, ...]:
        return values(record, record.uid)

    def _indexed(self, record: Record) -> tuple[list[str], list[str]]:
        return terms.ordered_words(record), terms.tag_text(record).split()

    def delete(self, records: Collection[Stored]) -> None:
        if not records:
            return
        # Said first: a tail that is told of a gap too early has lost nothing by it.
        head.note_deleted(max(record.seq for record in records))
        self._clickhouse.execute(f"DELETE FROM {TABLE} WHERE id IN ({_numbers(record.id for record in records)})")

    def _known_uids(self, uids: list[Any]) -> dict[Any, str]:
        return dict(self._rows(f"SELECT uid, service FROM {TABLE} WHERE uid IN ({', '.join(map(quoted, uids))})"))

    def _id_of_uid(self, uid: str) -> int | None:
        rows = self._rows(f"SELECT id FROM {TABLE} WHERE uid = {quoted(uid)}")
        return rows[0][0] if rows else None

    def _taken(self, ids: list[int]) -> set[int]:
        return {identifier for (identifier,) in self._rows(f"SELECT id FROM {TABLE} WHERE id IN ({_numbers(ids)})")}

    def _highest(self, microseconds: list[int]) -> dict[int, int]:
        first, end = microseconds[0] << COUNTER_BITS, (microseconds[-1] + 1) << COUNTER_BITS
        rows = self._rows(
            f"SELECT bitShiftRight(id, {COUNTER_BITS}) AS microsecond, max(id) FROM {TABLE}"
            f" WHERE id >= {first} AND id < {end} AND microsecond IN ({_numbers(microseconds)}) GROUP BY microsecond"
        )
        return dict(rows)

    # Finding

    def _read(self, node: Node | None, lowest: int, below: int, *, limit: int, is_ascending: bool) -> Chunk:
        condition, direction = ("1" if node is None else expression(node)), ("ASC" if is_ascending else "DESC")
        rows = self._rows(
            f"SELECT {NAMES} FROM {TABLE} WHERE {condition} AND id >= {lowest} AND id < {below}"
            f" ORDER BY id {direction} LIMIT {limit}"
        )
        return gathered(rows, limit=limit)

    def get(self, identifier: int) -> Stored | None:
        if not 0 <= identifier <= HIGHEST_ID:
            return None
        rows = self._rows(f"SELECT {NAMES} FROM {TABLE} WHERE id = {identifier}")
        return stored(rows[0]) if rows else None

    def _read_arrivals(self, after_seq: int, limit: int) -> Chunk:
        # Not beyond the number that is committed: a batch of several months becomes visible month by month.
        rows = self._rows(
            f"SELECT {NAMES} FROM {TABLE} WHERE seq > {after_seq} AND seq <= {self.head()} ORDER BY seq LIMIT {limit}"
        )
        return gathered(rows, limit=limit)

    def head(self) -> int:
        return head.read()[0]

    # Counting

    def _counted(self, node: Node | None, lowest: int, below: int, empty: Histogram) -> list[tuple[int, str, int]]:
        rows = self._rows(
            f"SELECT intDiv(bitShiftRight(id, {COUNTER_BITS}) - {empty.from_ns // 1000}, {empty.step_ns // 1000}) AS n,"
            f" {_LEVEL} AS level, count() FROM {TABLE}"
            f" WHERE {'1' if node is None else expression(node)} AND id >= {lowest} AND id < {below} GROUP BY n, level"
        )
        return [(number, severity.RANGES[level].name, records) for number, level, records in rows]

    def _rolled_up(
        self, width: int, first: int, end: int, services: Collection[str] | None
    ) -> list[tuple[int, str, str, int]]:
        minutes = width // WIDTHS[0]
        named = "" if services is None else f" AND service IN ({', '.join(map(quoted, services)) or 'NULL'})"
        rows = self._rows(
            f"SELECT intDiv(minute, {minutes}) * {width} AS start, service, level, sum(records) FROM ({_COUNTS}"
            f" WHERE {_MINUTE} >= {first // WIDTHS[0]} AND {_MINUTE} < {-(-end // WIDTHS[0])}{named} {_GROUP})"
            " GROUP BY start, service, level"
        )
        return [(start, service, severity.RANGES[level].name, records) for start, service, level, records in rows]

    def _sizes(self, service: str, level: str) -> list[tuple[int, int]]:
        number = severity.RANGES.index(severity.Severity[level])
        rows = self._rows(
            f"SELECT minute * {WIDTHS[0]}, bytes FROM ({_COUNTS}"
            f" WHERE service = {quoted(service)} AND {_LEVEL} = {number} {_GROUP}) ORDER BY minute"
        )
        return [(start, freed) for start, freed in rows]

    def services(self) -> dict[str, int]:
        rows = self._rows(f"SELECT service, sum(records) FROM ({_COUNTS} {_GROUP}) GROUP BY service ORDER BY service")
        return dict(rows)

    def usage(self) -> list[Usage]:
        rows = self._rows(
            f"SELECT service, level, sum(records), sum(bytes), min(minute), max(minute) FROM ({_COUNTS} {_GROUP})"
            " GROUP BY service, level ORDER BY service, level"
        )
        return [
            Usage(
                service=service,
                level=severity.RANGES[level].name,
                records=records,
                stored_bytes=stored_bytes,
                oldest_ns=oldest * WIDTHS[0] * NANOSECONDS,
                newest_ns=(newest + 1) * WIDTHS[0] * NANOSECONDS,
            )
            for service, level, records, stored_bytes, oldest, newest in rows
        ]

    # Retention

    def give_back_space(self) -> None:
        """Rewrite parts without their deleted rows, as a merge would sooner or later."""
        self._clickhouse.execute(f"ALTER TABLE {TABLE} APPLY DELETED MASK")

    def size(self) -> Size:
        ((total,),) = self._rows(
            "SELECT sum(bytes_on_disk) FROM system.parts"
            f" WHERE active AND database = currentDatabase() AND table = '{TABLE}'"
        )
        return Size(total_bytes=total)

    # Queries

    def _rows(self, statement: str) -> list[list[Any]]:
        """Run a query, after making a missing table. Raises as `Clickhouse.rows` does."""
        try:
            return self._clickhouse.rows(statement)
        except Missing:
            self._clickhouse.execute(f"CREATE DATABASE IF NOT EXISTS `{self._clickhouse.database}`", database="")
            self._clickhouse.execute(SCHEMA)
            return self._clickhouse.rows(statement)

    @contextmanager
    def _limited(self) -> Iterator[None]:
        # Each statement carries its limit.
        yield

    @contextmanager
    def _translated(self) -> Iterator[None]:
        yield


def _inserted(placed: Placed) -> Iterator[tuple[Any, ...]]:
    for identifier, seq, row, entry in zip(placed.ids, placed.seqs, placed.rows, placed.entries, strict=True):
        yield (identifier, seq, placed.received_ns, *row[3:], size(row), *entry)


_COUNTS = (
    f"SELECT {_MINUTE} AS minute, service, {_LEVEL} AS level, count() AS records, sum(stored_bytes) AS bytes"
    f" FROM {TABLE}"
)
_GROUP = f"GROUP BY {_MINUTE}, service, {_LEVEL}"


def expression(node: Node) -> str:
    """A condition in ClickHouse's SQL."""
    match node:
        case conditions.Tag(name):
            return f"has(tags, {quoted(name)})"
        case conditions.Phrase((word,), False):
            return f"has(words, {quoted(word)})"
        case conditions.Phrase(words, False):
            # The index finds the words, and hasSubstr their order.
            every = " AND ".join(f"has(words, {quoted(word)})" for word in dict.fromkeys(words))
            return f"({every} AND hasSubstr(words, [{', '.join(map(quoted, words))}]))"
        case conditions.Phrase(words, True):
            *whole, begun = words
            parts = [f"has(words, {quoted(word)})" for word in dict.fromkeys(whole)]
            places = [f"words[n + {number}] = {quoted(word)}" for number, word in enumerate(whole)]
            places.append(f"startsWith(words[n + {len(whole)}], {quoted(begun)})")
            parts.append(f"arrayExists(n -> {' AND '.join(places)}, arrayEnumerate(words))")
            return f"({' AND '.join(parts)})"
        case conditions.Some(parts):
            return f"({' OR '.join(map(expression, parts))})"
        case conditions.Every(parts):
            return f"({' AND '.join(map(expression, parts))})"
        case conditions.Without(part):
            return f"(NOT {expression(part)})"
    raise AssertionError(node)


def _numbers(numbers: Iterable[int]) -> str:
    return ", ".join(map(str, numbers))
