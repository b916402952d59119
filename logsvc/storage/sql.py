"""The parts that the stores in Django's own database share; subclasses hold the SQL that differs."""

from abc import abstractmethod
from collections.abc import Collection, Sequence
from functools import partial
from itertools import chain
from typing import Any

from django.db import connection, transaction

from logsvc.ordering import COUNTER_BITS, HIGHEST_ID
from logsvc.record import NANOSECONDS, Stored
from logsvc.storage import head
from logsvc.storage.conditions import Node
from logsvc.storage.indexed import IndexedStore
from logsvc.storage.interface import Usage
from logsvc.storage.prepared import Placed, Prepared, joined
from logsvc.storage.rows import (
    NAMES,
    WIDTHS,
    Chunk,
    Counts,
    buckets,
    counts,
    gathered,
    kind,
    minutes_of_ids,
    size,
    stored,
)

# The most rows that are held beside the records that are made of them.
_ROWS_AT_ONCE = 101


class SqlStore(IndexedStore):
    """A store in the database that Django is connected to."""

    # Each batch that retention deletes is a transaction, and no sender waits for more than one.
    deleted_at_once = 1000

    # Storing

    def append_prepared(self, batches: Sequence[Prepared], *, received_ns: int) -> int:
        batch = joined(batches)
        with self._translated(), transaction.atomic():
            placed = self._place(batch, first_seq=head.take(len(batch)), received_ns=received_ns)
            if placed.ids:
                self._insert(placed)
                self._count(placed.counted)
            return len(placed.ids)

    def delete(self, records: Collection[Stored]) -> None:
        if not records:
            return
        ids = [record.id for record in records]
        sizes = [size(self._row_of(record)) for record in records]
        with self._translated(), transaction.atomic():
            head.note_deleted(max(record.seq for record in records))
            self._remove(records)
            self._count([counts(minutes_of_ids(ids), map(kind, records), sizes, sign=-1)])
            self._execute("DELETE FROM logsvc_count WHERE records <= 0")

    def _highest(self, microseconds: list[int]) -> dict[int, int]:
        found = {}
        for microsecond in microseconds:
            first, end = microsecond << COUNTER_BITS, (microsecond + 1) << COUNTER_BITS
            ((last,),) = self._rows("SELECT max(id) FROM logsvc_log WHERE id >= %s AND id < %s", [first, end])
            if last is not None:
                found[microsecond] = int(last)
        return found

    def _count(self, counted: Sequence[Counts]) -> None:
        with connection.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO logsvc_count (width, start, service, level, records, stored_bytes)"
                " VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT (width, start, service, level) DO UPDATE"
                " SET records = logsvc_count.records + excluded.records,"
                " stored_bytes = logsvc_count.stored_bytes + excluded.stored_bytes",
                buckets(counted),
            )

    # Finding

    def _read(self, node: Node | None, lowest: int, below: int, *, limit: int, is_ascending: bool) -> Chunk:
        statement, parameters, column = self._selection(node)
        direction = "ASC" if is_ascending else "DESC"
        return self._chunk(
            f"{statement} AND {column} >= %s AND {column} < %s ORDER BY {column} {direction} LIMIT %s",
            [*parameters, lowest, below, limit],
        )

    def get(self, identifier: int) -> Stored | None:
        if not 0 <= identifier <= HIGHEST_ID:
            return None
        with self._translated():
            rows = self._rows(f"SELECT {NAMES} FROM logsvc_log WHERE id = %s", [identifier])  # noqa: S608 -- names of ours; values are parameters
        return stored(rows[0]) if rows else None

    def head(self) -> int:
        with self._translated():
            return head.read()[0]

    def _read_arrivals(self, after_seq: int, limit: int) -> Chunk:
        return self._chunk(
            f"SELECT {NAMES} FROM logsvc_log WHERE seq > %s ORDER BY seq LIMIT %s",  # noqa: S608 -- names of ours; values are parameters
            [after_seq, limit],
        )

    # Counting

    def _rolled_up(
        self, width: int, first: int, end: int, services: Collection[str] | None
    ) -> list[tuple[int, str, str, int]]:
        named = "" if services is None else f" AND service IN ({', '.join(['%s'] * len(services)) or 'NULL'})"
        rows = self._rows(
            "SELECT start, service, level, records FROM logsvc_count"  # noqa: S608 -- values are parameters
            f" WHERE width = %s AND start >= %s AND start < %s{named}",
            [width, first, end, *(services or ())],
        )
        return [(start, service, level, records) for start, service, level, records in rows]

    def _sizes(self, service: str, level: str) -> list[tuple[int, int]]:
        rows = self._rows(
            "SELECT start, stored_bytes FROM logsvc_count WHERE width = %s AND service = %s AND level = %s"
            " ORDER BY start",
            [WIDTHS[0], service, level],
        )
        return [(start, stored_bytes) for start, stored_bytes in rows]

    def services(self) -> dict[str, int]:
        with self._translated():
            rows = self._rows(
                "SELECT service, SUM(records) FROM logsvc_count WHERE width = %s GROUP BY service ORDER BY service",
                [WIDTHS[-1]],
            )
        return {service: int(records) for service, records in rows if records > 0}

    def usage(self) -> list[Usage]:
        with self._translated():
            rows = self._rows(
                "SELECT service, level, SUM(records), SUM(stored_bytes), MIN(start), MAX(start) FROM logsvc_count"
                " WHERE width = %s GROUP BY service, level ORDER BY service, level",
                [WIDTHS[1]],
            )
        return [
            Usage(
                service=service,
                level=level,
                records=int(records),
                stored_bytes=int(stored_bytes),
                oldest_ns=oldest * NANOSECONDS,
                newest_ns=(newest + WIDTHS[1]) * NANOSECONDS,
            )
            for service, level, records, stored_bytes, oldest, newest in rows
        ]

    # Implemented by each database

    @abstractmethod
    def _insert(self, placed: Placed) -> None: ...

    @abstractmethod
    def _remove(self, records: Collection[Stored]) -> None: ...

    @abstractmethod
    def _selection(self, node: Node | None) -> tuple[str, list[Any], str]:
        """A SELECT of the records that a condition finds, ending in a WHERE that goes on; its parameters; the column of
        the ids.
        """

    def _chunk(self, statement: str, parameters: Sequence[Any]) -> Chunk:
        """The records of a statement whose last parameter is its limit."""
        limit = parameters[-1]
        # PostgreSQL's driver holds all rows of a statement, unless the server does.
        with connection.chunked_cursor() if limit > _ROWS_AT_ONCE else connection.cursor() as cursor:
            cursor.execute(statement, parameters)
            pieces = iter(partial(cursor.fetchmany, _ROWS_AT_ONCE), [])
            return gathered(chain.from_iterable(pieces), limit=limit)

    def _rows(self, statement: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
        with connection.cursor() as cursor:
            cursor.execute(statement, parameters)
            return list(cursor.fetchall())

    def _row(self, statement: str, parameters: Sequence[Any]) -> tuple[Any, ...]:
        return self._rows(statement, parameters)[0]

    def _execute(self, statement: str, parameters: Sequence[Any] = ()) -> None:
        with connection.cursor() as cursor:
            cursor.execute(statement, parameters)
