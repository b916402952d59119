"""Records in PostgreSQL: a partition for each day, with BRIN on arrival and GIN on a tsvector that is made here."""

import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from django.db import DatabaseError, OperationalError, connection, transaction

from logsvc import severity
from logsvc.ordering import COUNTER_BITS, NS_PER_DAY, first_id
from logsvc.record import Record, Stored
from logsvc.storage import conditions, terms
from logsvc.storage.conditions import Node
from logsvc.storage.errors import Busy, Full
from logsvc.storage.indexed import STATEMENT_SECONDS
from logsvc.storage.interface import Histogram, Size
from logsvc.storage.prepared import Placed
from logsvc.storage.rows import NAMES, UID, values
from logsvc.storage.sql import SqlStore

SCHEMA = [
    """
    CREATE TABLE logsvc_log (
        id bigint NOT NULL, seq bigint NOT NULL, received_ns bigint NOT NULL, time_ns bigint NOT NULL,
        observed_ns bigint NOT NULL, severity smallint NOT NULL CHECK (severity BETWEEN 0 AND 24),
        severity_text text NOT NULL, service text NOT NULL, instance text NOT NULL, host text NOT NULL,
        logger text NOT NULL, body text NOT NULL, attributes text NOT NULL, trace_id text NOT NULL,
        span_id text NOT NULL, uid uuid, token text NOT NULL, notes text NOT NULL, search tsvector NOT NULL,
        PRIMARY KEY (id)
    ) PARTITION BY RANGE (id)
    """,
    # SqlStore.tail.
    "CREATE INDEX logsvc_log_seq ON logsvc_log (seq)",
    # Arrival grows with a partition's pages: which of its records came before a time, for retention.
    "CREATE INDEX logsvc_log_received ON logsvc_log USING brin (received_ns)",
    # SqlStore.search.
    "CREATE INDEX logsvc_log_search ON logsvc_log USING gin (search)",
    # Records older than the days that have a partition of their own.
    "CREATE TABLE logsvc_log_old PARTITION OF logsvc_log DEFAULT",
    # SqlStore.append: a record that is sent again is stored once; a partitioned table has no such constraint.
    "CREATE TABLE logsvc_uid (uid uuid PRIMARY KEY, id bigint NOT NULL)",
    """
    CREATE TABLE logsvc_count (
        width integer NOT NULL, start bigint NOT NULL, service text NOT NULL, level text NOT NULL,
        records bigint NOT NULL, stored_bytes bigint NOT NULL, PRIMARY KEY (width, start, service, level)
    )
    """,
    """
    CREATE TABLE logsvc_head (
        one integer PRIMARY KEY CHECK (one = 1), seq bigint NOT NULL, pruned_seq bigint NOT NULL
    )
    """,
    "INSERT INTO logsvc_head VALUES (1, 0, 0)",
]

# Days further back share one partition: a sender of arbitrary times must not make a table for each.
DAYS_WITH_PARTITION = 45
# PostgreSQL keeps no higher position of a word.
HIGHEST_POSITION = 16_383
POSITIONS_AT_MOST = 255
_COPY = f"COPY logsvc_log ({NAMES}, search) FROM STDIN"
_QUERY_CANCELED, _DISK_FULL = "57014", "53100"


class PostgresqlStore(SqlStore):
    def __init__(self) -> None:
        super().__init__()
        self._partitions: set[int] = set()

    def forget(self) -> None:
        super().forget()
        self._partitions.clear()

    def _row_of(self, record: Record) -> tuple[Any, ...]:
        return values(record, record.uid or None)

    def _indexed(self, record: Record) -> str:
        return vector(record)

    def _insert(self, placed: Placed) -> None:
        self._make_partitions({identifier // first_id(NS_PER_DAY) for identifier in placed.ids})
        with connection.cursor() as cursor:
            with cursor.copy(_COPY) as copy:
                for identifier, seq, row, search in zip(
                    placed.ids, placed.seqs, placed.rows, placed.entries, strict=True
                ):
                    copy.write_row((identifier, seq, placed.received_ns, *row[3:], search))
            uids = [(row[UID], identifier) for identifier, row in zip(placed.ids, placed.rows, strict=True) if row[UID]]
            if uids:
                with cursor.copy("COPY logsvc_uid (uid, id) FROM STDIN") as copy:
                    for pair in uids:
                        copy.write_row(pair)

    def _make_partitions(self, days: set[int]) -> None:
        today = time.time_ns() // NS_PER_DAY
        for day in days - self._partitions:
            if day < today - DAYS_WITH_PARTITION:
                continue
            name = f"logsvc_log_{datetime.fromtimestamp(day * 86_400, tz=UTC):%Y%m%d}"
            # Looked for first: CREATE IF NOT EXISTS takes a lock that waits for every reader.
            if self._row("SELECT to_regclass(%s)", [name])[0] is None:
                low, high = first_id(day * NS_PER_DAY), first_id((day + 1) * NS_PER_DAY)
                self._execute(f"CREATE TABLE {name} PARTITION OF logsvc_log FOR VALUES FROM ({low}) TO ({high})")
            else:
                self._partitions.add(day)

    def _remove(self, records: Collection[Stored]) -> None:
        self._execute("DELETE FROM logsvc_log WHERE id = ANY(%s)", [[record.id for record in records]])
        uids = [record.uid for record in records if record.uid]
        if uids:
            self._execute("DELETE FROM logsvc_uid WHERE uid = ANY(%s::uuid[])", [uids])

    def _known_uids(self, uids: list[Any]) -> dict[Any, str]:
        rows = self._rows(
            "SELECT known.uid, coalesce(log.service, '') FROM logsvc_uid known LEFT JOIN logsvc_log log USING (id)"
            " WHERE known.uid = ANY(%s::uuid[])",
            [uids],
        )
        return {uid.hex: service for uid, service in rows}

    def _id_of_uid(self, uid: str) -> int | None:
        rows = self._rows("SELECT id FROM logsvc_uid WHERE uid = %s::uuid", [uid])
        return rows[0][0] if rows else None

    def _taken(self, ids: list[int]) -> set[int]:
        rows = self._rows(
            "SELECT id FROM logsvc_log WHERE id = ANY(%s) AND id BETWEEN %s AND %s",
            [ids, min(ids), max(ids)],
        )
        return {identifier for (identifier,) in rows}

    def _selection(self, node: Node | None) -> tuple[str, list[Any], str]:
        if node is None:
            return f"SELECT {NAMES} FROM logsvc_log WHERE true", [], "id"  # noqa: S608 -- names of ours; values are parameters
        return f"SELECT {NAMES} FROM logsvc_log WHERE search @@ %s::tsquery", [tsquery(node)], "id"  # noqa: S608 -- names of ours; values are parameters

    def _counted(self, node: Node | None, lowest: int, below: int, empty: Histogram) -> list[tuple[int, str, int]]:
        condition, parameters = ("true", []) if node is None else ("search @@ %s::tsquery", [tsquery(node)])
        rows = self._rows(
            "SELECT ((id >> %s) - %s) / %s, (severity + 3) / 4, count(*) FROM logsvc_log"  # noqa: S608 -- names of ours; values are parameters
            f" WHERE {condition} AND id >= %s AND id < %s GROUP BY 1, 2",
            [COUNTER_BITS, empty.from_ns // 1000, empty.step_ns // 1000, *parameters, lowest, below],
        )
        return [(number, severity.RANGES[level].name, records) for number, level, records in rows]

    @contextmanager
    def _limited(self) -> Iterator[None]:
        try:
            with transaction.atomic():
                self._execute(f"SET LOCAL statement_timeout = {int(STATEMENT_SECONDS * 1000)}")
                yield
        except OperationalError as error:
            if getattr(error.__cause__, "sqlstate", "") == _QUERY_CANCELED:
                raise Busy from error
            raise

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except DatabaseError as error:
            self._partitions.clear()
            if getattr(error.__cause__, "sqlstate", "") == _DISK_FULL:
                raise Full from error
            raise

    def give_back_space(self) -> None:
        """Drop the partitions of days that have no records left; autovacuum makes the room in others usable again."""
        horizon = time.time_ns() // NS_PER_DAY - 2
        names = self._rows(
            "SELECT relname FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid"
            " WHERE inhparent = 'logsvc_log'::regclass AND relname ~ '^logsvc_log_[0-9]{8}$' ORDER BY relname",
            [],
        )
        for (name,) in names:
            day = int(datetime.strptime(name[-8:], "%Y%m%d").replace(tzinfo=UTC).timestamp()) // 86_400
            if day >= horizon:
                continue
            with transaction.atomic():
                # Nobody stores now: storing locks this row first.
                self._rows("SELECT seq FROM logsvc_head FOR UPDATE", [])
                if not self._rows(f"SELECT 1 FROM {name} LIMIT 1", []):  # noqa: S608 -- names of ours; values are parameters
                    self._execute(f"DROP TABLE {name}")
                    self._partitions.discard(day)

    def size(self) -> Size:
        (total,) = self._row(
            "SELECT coalesce(sum(pg_total_relation_size(inhrelid)), 0) FROM pg_inherits"
            " WHERE inhparent = 'logsvc_log'::regclass",
            [],
        )
        (others,) = self._row(
            "SELECT pg_total_relation_size('logsvc_uid') + pg_total_relation_size('logsvc_count')", []
        )
        return Size(total_bytes=int(total) + int(others))


def vector(record: Record) -> str:
    """A tsvector as text. A tag begins with `=`, which no word does."""
    tags = terms.tag_text(record).replace(" ", "' '=")
    words = terms.ordered_words(record)
    if len(words) > POSITIONS_AT_MOST:
        return f"'={tags}' {' '.join(_limited_positions(words))}"
    # The lexemes with their positions, of which most have one.
    found: dict[str, str] = {}
    for position, word in enumerate(words, start=1):
        if word in found:
            found[word] += f",{position}"
        elif word:
            found[word] = f"'{word}':{position}"
    return f"'={tags}' {' '.join(found.values())}"


def _limited_positions(words: list[str]) -> Iterator[str]:
    """The lexemes of a long text, within the positions that PostgreSQL keeps."""
    places: dict[str, list[int]] = {}
    for position, word in enumerate(words, start=1):
        if word:
            places.setdefault(word, []).append(min(position, HIGHEST_POSITION))
    return (f"'{word}':{','.join(map(str, some[:POSITIONS_AT_MOST]))}" for word, some in places.items())


def tsquery(node: Node) -> str:
    match node:
        case conditions.Tag(name):
            return f"'={name}'"
        case conditions.Phrase(words, is_prefix):
            phrase = " <-> ".join(f"'{word}'" for word in words)
            return f"({phrase}{':*' if is_prefix else ''})"
        case conditions.Some(parts):
            return f"({' | '.join(map(tsquery, parts))})"
        case conditions.Every(parts):
            return f"({' & '.join(map(tsquery, parts))})"
        case conditions.Without(part):
            return f"!{tsquery(part)}"
