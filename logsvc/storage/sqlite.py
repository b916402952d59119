"""Records in SQLite: a table by id, and a contentless FTS5 index whose rows have the records' ids."""

import sqlite3
import time
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from itertools import chain
from typing import Any

from django.db import OperationalError, connection

from logsvc import severity
from logsvc.ordering import COUNTER_BITS
from logsvc.record import Record, Stored
from logsvc.storage import conditions, terms
from logsvc.storage.conditions import ANYTHING, Node
from logsvc.storage.errors import Busy, Full
from logsvc.storage.indexed import STATEMENT_SECONDS
from logsvc.storage.interface import Histogram, Size
from logsvc.storage.prepared import Placed
from logsvc.storage.rows import COLUMNS, NAMES, WIDTHS, values
from logsvc.storage.sql import SqlStore

SCHEMA = [
    """
    CREATE TABLE logsvc_log (
        id INTEGER PRIMARY KEY, seq INTEGER NOT NULL, received_ns INTEGER NOT NULL, time_ns INTEGER NOT NULL,
        observed_ns INTEGER NOT NULL, severity INTEGER NOT NULL CHECK (severity BETWEEN 0 AND 24),
        severity_text TEXT NOT NULL, service TEXT NOT NULL, instance TEXT NOT NULL, host TEXT NOT NULL,
        logger TEXT NOT NULL, body TEXT NOT NULL, attributes TEXT NOT NULL, trace_id TEXT NOT NULL,
        span_id TEXT NOT NULL, uid BLOB, token TEXT NOT NULL, notes TEXT NOT NULL
    )
    """,
    # SqlStore.tail.
    "CREATE UNIQUE INDEX logsvc_log_seq ON logsvc_log (seq)",
    # SqlStore.append: a record that is sent again is stored once.
    "CREATE UNIQUE INDEX logsvc_log_uid ON logsvc_log (uid) WHERE uid IS NOT NULL",
    """
    CREATE VIRTUAL TABLE logsvc_text USING fts5 (
        words, tags, content = '', columnsize = 0, tokenize = "ascii tokenchars '_'"
    )
    """,
    """
    CREATE TABLE logsvc_count (
        width INTEGER NOT NULL, start INTEGER NOT NULL, service TEXT NOT NULL, level TEXT NOT NULL,
        records INTEGER NOT NULL, stored_bytes INTEGER NOT NULL, PRIMARY KEY (width, start, service, level)
    ) WITHOUT ROWID
    """,
    # Fewer merges of the index while much comes in, for as many more segments to look at.
    "INSERT INTO logsvc_text (logsvc_text, rank) VALUES ('automerge', 8)",
    """
    CREATE TABLE logsvc_head (
        one INTEGER PRIMARY KEY CHECK (one = 1), seq INTEGER NOT NULL, pruned_seq INTEGER NOT NULL
    )
    """,
    "INSERT INTO logsvc_head VALUES (1, 0, 0)",
]

# Each statement gives the interpreter's lock away and waits to have it back: with one for many rows, threads that read
# the next batches keep the one that stores waiting less.
_LOOKED_UP_AT_ONCE = 500
_LOOKED_UP = ", ".join(["?"] * _LOOKED_UP_AT_ONCE)
_ROW, _TEXT_ROW, _TEXT_WIDTH = f"({', '.join(['?'] * len(COLUMNS))})", "(?, ?, ?)", 3
# The statements that store this many rows.
_INSERTS = {
    count: (
        f"INSERT INTO logsvc_log ({NAMES}) VALUES {', '.join([_ROW] * count)}",  # noqa: S608 -- names of ours; values are parameters
        f"INSERT INTO logsvc_text (rowid, words, tags) VALUES {', '.join([_TEXT_ROW] * count)}",  # noqa: S608 -- values are parameters
    )
    for count in (500, 50, 1)
}
_STEPS_BETWEEN_LOOKS = 20_000
_PAGES_AT_ONCE = 1000
_MERGED_PAGES, _MERGES = 500, 15


class SqliteStore(SqlStore):
    def _row_of(self, record: Record) -> tuple[Any, ...]:
        return values(record, bytes.fromhex(record.uid) if record.uid else None)

    def _indexed(self, record: Record) -> tuple[int, str, str]:
        # The zero gives way to the id.
        return 0, terms.word_text(record), terms.tag_text(record)

    def _insert(self, placed: Placed) -> None:
        # The driver's own cursor: Django's rewrites each statement's placeholders.
        cursor = self._cursor()
        rows = list(chain.from_iterable(placed.rows))
        rows[:: len(COLUMNS)] = placed.ids
        rows[1 :: len(COLUMNS)] = placed.seqs
        rows[2 :: len(COLUMNS)] = [placed.received_ns] * len(placed.ids)
        texts = list(chain.from_iterable(placed.entries))
        texts[::_TEXT_WIDTH] = placed.ids
        start = 0
        for count, (into_log, into_text) in _INSERTS.items():
            while start + count <= len(placed.ids):
                end = start + count
                cursor.execute(into_log, rows[start * len(COLUMNS) : end * len(COLUMNS)])
                cursor.execute(into_text, texts[start * _TEXT_WIDTH : end * _TEXT_WIDTH])
                start = end

    def _remove(self, records: Collection[Stored]) -> None:
        # A contentless index is told what it held.
        cursor = self._cursor()
        cursor.executemany(
            "INSERT INTO logsvc_text (logsvc_text, rowid, words, tags) VALUES ('delete', ?, ?, ?)",
            [(record.id, *self._indexed(record)[1:]) for record in records],
        )
        cursor.executemany("DELETE FROM logsvc_log WHERE id = ?", [(record.id,) for record in records])

    def _known_uids(self, uids: list[Any]) -> dict[Any, str]:
        return dict(self._found_among("SELECT uid, service FROM logsvc_log WHERE uid IN", uids))

    def _id_of_uid(self, uid: str) -> int | None:
        rows = self._rows("SELECT id FROM logsvc_log WHERE uid = %s", [bytes.fromhex(uid)])
        return rows[0][0] if rows else None

    def _taken(self, ids: list[int]) -> set[int]:
        between = self._rows("SELECT 1 FROM logsvc_log WHERE id BETWEEN %s AND %s LIMIT 1", [min(ids), max(ids)])
        return (
            {identifier for (identifier,) in self._found_among("SELECT id FROM logsvc_log WHERE id IN", ids)}
            if between
            else set()
        )

    def _found_among(self, statement: str, values: list[Any]) -> list[tuple[Any, ...]]:
        """The rows of these values that a statement finds, which ends in IN."""
        found: list[tuple[Any, ...]] = []
        cursor = self._cursor()
        for start in range(0, len(values), _LOOKED_UP_AT_ONCE):
            some = values[start : start + _LOOKED_UP_AT_ONCE]
            # Always as many, so that the driver knows the statement.
            some += [some[0]] * (_LOOKED_UP_AT_ONCE - len(some))
            found += cursor.execute(f"{statement} ({_LOOKED_UP})", some)
        return found

    def _selection(self, node: Node | None) -> tuple[str, list[Any], str]:
        if node is None:
            return f"SELECT {NAMES} FROM logsvc_log WHERE true", [], "id"  # noqa: S608 -- names of ours; values are parameters
        # CROSS JOIN is SQLite's way to say which of the two is read first.
        columns = ", ".join(f"l.{name}" for name in COLUMNS)
        statement = f"SELECT {columns} FROM logsvc_text t CROSS JOIN logsvc_log l ON l.id = t.rowid"  # noqa: S608 -- names of ours; values are parameters
        return f"{statement} WHERE t.logsvc_text MATCH %s", [match(node)], "t.rowid"

    def _counted(self, node: Node | None, lowest: int, below: int, empty: Histogram) -> list[tuple[int, str, int]]:
        """Count from the index alone: a record's id holds its time.

        The commonest level has what the others leave of the whole: its list is the longest to go through.
        """

        def counts(expression: str) -> list[tuple[int, int]]:
            rows = self._rows(
                "SELECT ((rowid >> %s) - %s) / %s, count(*) FROM logsvc_text"
                " WHERE logsvc_text MATCH %s AND rowid >= %s AND rowid < %s GROUP BY 1",
                [COUNTER_BITS, empty.from_ns // 1000, empty.step_ns // 1000, expression, lowest, below],
            )
            return [(number, records) for number, records in rows]

        # As long as it lasts, all statements see the same records.
        self._execute("SAVEPOINT counted")
        try:
            commonest = None if node is None else self._commonest_level()
            found = [
                (number, level.name, records)
                for level in severity.RANGES
                if level is not commonest
                for number, records in counts(narrowed_match(node, level))
            ]
            if node is not None and commonest is not None:
                left = Counter(dict(counts(match(node))))
                for number, _, records in found:
                    left[number] -= records
                found += [(number, commonest.name, records) for number, records in left.items() if records]
        finally:
            self._execute("RELEASE counted")
        return found

    def _commonest_level(self) -> severity.Severity:
        rows = self._rows(
            "SELECT level FROM logsvc_count WHERE width = %s GROUP BY level ORDER BY sum(records) DESC LIMIT 1",
            [WIDTHS[-1]],
        )
        return severity.Severity[rows[0][0]] if rows else severity.Severity.INFO

    @contextmanager
    def _limited(self) -> Iterator[None]:
        connection.ensure_connection()
        ends_at = time.monotonic() + STATEMENT_SECONDS
        connection.connection.set_progress_handler(lambda: time.monotonic() > ends_at, _STEPS_BETWEEN_LOOKS)
        try:
            yield
        except (OperationalError, sqlite3.OperationalError) as error:
            if "interrupted" in str(error):
                raise Busy from error
            raise
        finally:
            if connection.connection is not None:
                connection.connection.set_progress_handler(None, 0)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        with connection.wrap_database_errors:
            try:
                yield
            except (OperationalError, sqlite3.OperationalError) as error:
                if "disk is full" in str(error) or "disk I/O error" in str(error):
                    raise Full from error
                raise

    def give_back_space(self) -> None:
        """Vacuum in pieces, so that other writers do not wait long for the lock."""
        if connection.in_atomic_block:
            return
        # The index marks what is deleted, and lets go of it when it merges: some of it each time, so that even a large
        # index is gone through within days.
        for pages in (-_MERGED_PAGES, *[_MERGED_PAGES] * _MERGES):
            self._execute("INSERT INTO logsvc_text (logsvc_text, rank) VALUES ('merge', %s)", [pages])
        while True:
            (free,) = self._row("PRAGMA freelist_count", [])
            if not free:
                break
            before = free
            self._rows(f"PRAGMA incremental_vacuum({_PAGES_AT_ONCE})", [])
            (free,) = self._row("PRAGMA freelist_count", [])
            if free >= before:
                # A file from before this was possible gives nothing back until it was vacuumed once.
                break
        self._rows("PRAGMA wal_checkpoint(TRUNCATE)", [])

    def size(self) -> Size:
        page_bytes, pages, free = (
            self._row(f"PRAGMA {name}", [])[0] for name in ("page_size", "page_count", "freelist_count")
        )
        return Size(total_bytes=page_bytes * pages, free_bytes=page_bytes * free)

    def _cursor(self) -> sqlite3.Cursor:
        connection.ensure_connection()
        cursor: sqlite3.Cursor = connection.connection.cursor()
        return cursor


def narrowed_match(node: Node | None, level: severity.Severity) -> str:
    tag = conditions.Tag(terms.level_tag(level))
    return match(tag if node is None else conditions.Every((tag, node)))


def match(node: Node) -> str:
    """A condition in FTS5's syntax."""
    match node:
        case conditions.Tag(name):
            return f'tags : "{name}"'
        case conditions.Phrase(words, is_prefix):
            return f'words : "{" ".join(words)}"{" *" if is_prefix else ""}'
        case conditions.Some(parts):
            return f"({' OR '.join(map(match, parts))})"
        case conditions.Without(part):
            return f"({match(ANYTHING)} NOT {match(part)})"
        case conditions.Every(parts):
            wanted = [match(part) for part in parts if not isinstance(part, conditions.Without)]
            unwanted = [match(part.part) for part in parts if isinstance(part, conditions.Without)]
            found = f"({' AND '.join(wanted)})" if wanted else match(ANYTHING)
            return f"({found} NOT ({' OR '.join(unwanted)}))" if unwanted else found
