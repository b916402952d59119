"""What the stores in a SQL database share; a subclass speaks its database's own words where they differ."""

import time
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

from django.db import connection, transaction

from logsvc import severity
from logsvc.ordering import COUNTER_BITS, COUNTERS, HIGHEST_ID, first_id, first_id_from, nanoseconds, order_ns
from logsvc.query import ast
from logsvc.query.matching import attribute_values, matches, member, predicate, value_text
from logsvc.record import NANOSECONDS, Record, Stored
from logsvc.storage import conditions, terms
from logsvc.storage.conditions import Condition, Node
from logsvc.storage.errors import Busy
from logsvc.storage.interface import Expiry, Facets, Histogram, Page, Range, Search, Size, Tail, Usage
from logsvc.storage.rows import NAMES, WIDTHS, Tally, row, stored

# A search that reads records one by one gives up after so long, and says where to go on.
SEARCH_SECONDS = 3.0
# A single statement is ended after so long.
STATEMENT_SECONDS = 10.0
# Rows that are read at once: a few at first, and then as many as their size allows.
FIRST_CHUNK, SHORTEST_CHUNK, LONGEST_CHUNK = 101, 20, 2000
CHUNK_BYTES = 4 * 1024 * 1024
# A page ends early when its records are so large together: what one question costs in memory is bounded.
PAGE_BYTES = 32 * 1024 * 1024
# Facets are counted among so many of the newest matches.
FACET_RECORDS = 10_000
# Matches that are read one by one to be counted.
COUNTED_RECORDS = 50_000
# A histogram that needs the index is counted in so many pieces, the newest first, until its time is over.
SLICES = 8
SERVICES_SECONDS = 2.0
_BATCH = 500


class SqlStore(ABC):
    """A store in the database that Django is connected to."""

    def __init__(self) -> None:
        self._services: dict[str, int] = {}
        self._services_read_at = float("-inf")

    def forget(self) -> None:
        self._services_read_at = float("-inf")

    # Storing

    def append(self, records: Sequence[Record], *, received_ns: int) -> int:
        # What takes time is done before the transaction: nobody else stores meanwhile.
        entries = [self._indexed(record) for record in records]
        with self._translated(), transaction.atomic():
            first_seq = self._take_numbers(len(records))
            new = self._unknown(records)
            if not new:
                return 0
            identifiers = self._identifiers([records[index] for index in new], received_ns)
            tally, rows = Tally(), []
            for index, identifier in zip(new, identifiers, strict=True):
                values = row(records[index], identifier=identifier, seq=first_seq + index, received_ns=received_ns)
                tally.add(values)
                rows.append((values, entries[index]))
            rows.sort(key=_identifier)
            self._insert(rows)
            self._count(tally)
            return len(rows)

    def delete(self, records: Collection[Stored]) -> None:
        if not records:
            return
        tally = Tally()
        for record in records:
            values = row(record, identifier=record.id, seq=record.seq, received_ns=record.received_ns)
            tally.add(values, sign=-1)
        with self._translated(), transaction.atomic():
            highest = max(record.seq for record in records)
            self._execute("UPDATE logsvc_head SET pruned_seq = %s WHERE pruned_seq < %s", [highest, highest])
            self._remove(records)
            self._count(tally)
            self._execute("DELETE FROM logsvc_count WHERE records <= 0")

    def _take_numbers(self, count: int) -> int:
        """The first of `count` numbers of arrival. The row stays locked to the end of the transaction, so that numbers
        become visible in their order.
        """
        (last,) = self._row("UPDATE logsvc_head SET seq = seq + %s RETURNING seq", [count])
        return int(last) - count + 1

    def _unknown(self, records: Sequence[Record]) -> Sequence[int]:
        """The places in the batch of those whose uid is not stored, each uid once."""
        first_places: dict[str, int] = {}
        for index, record in enumerate(records):
            if record.uid:
                first_places.setdefault(record.uid, index)
        if not first_places:
            return range(len(records))
        known = self._known_uids(list(first_places))
        return [
            index
            for index, record in enumerate(records)
            if not record.uid or (record.uid not in known and first_places[record.uid] == index)
        ]

    def _identifiers(self, records: Sequence[Record], received_ns: int) -> list[int]:
        """A free id for each record: ties are in the order of nanoseconds, and then of arrival."""
        times = [order_ns(record.time_ns, received_ns=received_ns) for record in records]
        found, order = [0] * len(records), sorted(range(len(records)), key=times.__getitem__)
        following = 0
        for index in order:
            found[index] = following = max(first_id(times[index]), following)
            following += 1
        taken = self._taken(found)
        if taken:
            self._move(found, taken, order)
        return found

    def _move(self, found: list[int], taken: set[int], order: Sequence[int]) -> None:
        """Give those whose id is taken the next free one."""
        used: set[int] = set()
        free_after: dict[int, int] = {}
        for index in order:
            wanted = found[index]
            block = wanted >> COUNTER_BITS
            wanted = max(wanted, free_after.get(block, 0))
            while wanted in used or wanted in taken or self._is_taken(wanted):
                wanted = self._after_last(wanted, used)
            found[index] = wanted
            used.add(wanted)
            free_after[block] = wanted + 1

    def _is_taken(self, identifier: int) -> bool:
        return bool(self._taken([identifier]))

    def _after_last(self, identifier: int, used: set[int]) -> int:
        """One more than the last id of the block of numbers that `identifier` is in."""
        end = (identifier // COUNTERS + 1) * COUNTERS
        (last,) = self._row("SELECT max(id) FROM logsvc_log WHERE id >= %s AND id < %s", [identifier, end])
        following = max(identifier, last or 0) + 1
        while following in used:
            following += 1
        return following

    def _count(self, tally: Tally) -> None:
        self._execute_many(
            "INSERT INTO logsvc_count (width, start, service, level, records, stored_bytes)"
            " VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT (width, start, service, level) DO UPDATE"
            " SET records = logsvc_count.records + excluded.records,"
            " stored_bytes = logsvc_count.stored_bytes + excluded.stored_bytes",
            tally.rows(),
        )

    # Finding

    def search(self, search: Search) -> Page:
        with self._translated(), self._limited():
            return self._search(search)

    def _search(self, search: Search) -> Page:
        lowest, below = _bounds(search)
        uid = _uid(search.query)
        if uid is not None:
            lowest, below = self._only(uid, lowest, below)
        condition = self._condition(search.query)
        is_match = predicate(search.query)
        ends_at = time.monotonic() + SEARCH_SECONDS
        found: list[Stored] = []
        found_bytes, chunk = 0, min(search.limit + 1, FIRST_CHUNK)
        while lowest < below:
            read = self._read(condition.node, lowest, below, limit=chunk, is_ascending=search.is_ascending)
            for record in read:
                if not is_match(record):
                    continue
                if len(found) == search.limit or found_bytes > PAGE_BYTES:
                    return Page(records=found, next=found[-1].id if found else None)
                found.append(record)
                found_bytes += _size(record)
            if len(read) < chunk:
                break
            if search.is_ascending:
                lowest = read[-1].id + 1
            else:
                below = read[-1].id
            chunk = _fitting_chunk(read)
            if time.monotonic() > ends_at:
                return Page(records=found, next=read[-1].id, is_complete=False)
        return Page(records=found, next=None)

    def _only(self, uid: str, lowest: int, below: int) -> tuple[int, int]:
        identifier = self._id_of_uid(uid)
        if identifier is None or not lowest <= identifier < below:
            return 0, 0
        return identifier, identifier + 1

    def _read(self, node: Node | None, lowest: int, below: int, *, limit: int, is_ascending: bool) -> list[Stored]:
        statement, parameters = self._selection(node)
        direction, column = ("ASC" if is_ascending else "DESC"), self._order_column(node)
        rows = self._rows(
            f"{statement} AND {column} >= %s AND {column} < %s ORDER BY {column} {direction} LIMIT %s",
            [*parameters, lowest, below, limit],
        )
        return [stored(values) for values in rows]

    def get(self, identifier: int) -> Stored | None:
        if not 0 <= identifier <= HIGHEST_ID:
            return None
        with self._translated():
            rows = self._rows(f"SELECT {NAMES} FROM logsvc_log WHERE id = %s", [identifier])  # noqa: S608
        return stored(rows[0]) if rows else None

    def context(self, record: Stored, *, before: int, after: int) -> tuple[list[Stored], list[Stored]]:
        node = conditions.Tag(
            terms.instance_tag(record.service, record.instance)
            if record.instance
            else terms.cached_tag("s", record.service)
        )
        with self._translated(), self._limited():
            older = self._read(node, 0, record.id, limit=before, is_ascending=False)
            newer = self._read(node, record.id + 1, HIGHEST_ID, limit=after, is_ascending=True)
        return older[::-1], newer

    def tail(self, *, after_seq: int, query: ast.Query = ast.EVERYTHING, limit: int = 500) -> Tail:
        with self._translated(), self._limited():
            (pruned,) = self._row("SELECT pruned_seq FROM logsvc_head", [])
            records: list[Stored] = []
            chunk, seq = FIRST_CHUNK, max(after_seq, -1)
            while len(records) < limit and sum(map(_size, records)) < CHUNK_BYTES:
                chunk = min(chunk, limit - len(records))
                rows = self._rows(
                    f"SELECT {NAMES} FROM logsvc_log WHERE seq > %s ORDER BY seq LIMIT %s",  # noqa: S608
                    [seq, chunk],
                )
                read = [stored(values) for values in rows]
                records += read
                if len(read) < chunk:
                    break
                seq, chunk = read[-1].seq, _fitting_chunk(read)
        is_match = predicate(query)
        return Tail(
            records=[record for record in records if is_match(record)],
            cursor=records[-1].seq if records else after_seq,
            is_gapless=after_seq >= pruned,
        )

    def head(self) -> int:
        with self._translated():
            return int(self._row("SELECT seq FROM logsvc_head", [])[0])

    # Counting

    def histogram(self, *, query: ast.Query, within: Range, step_ns: int) -> Histogram:
        assert within.from_ns is not None, "a histogram has a beginning"
        assert within.to_ns is not None, "and an end"
        first = within.from_ns // step_ns * step_ns
        count = max(-(-(within.to_ns - first) // step_ns), 1)
        empty = Histogram(
            from_ns=first,
            to_ns=first + count * step_ns,
            step_ns=step_ns,
            counts=[{} for _ in range(count)],
        )
        with self._translated(), self._limited():
            width = next((each for each in reversed(WIDTHS) if step_ns % (each * NANOSECONDS) == 0), None)
            if width is not None and conditions.is_countable(query):
                return self._from_counts(empty, query, width)
            condition = self._condition(query)
            return self._by_index(empty, condition) if condition.is_exact else self._by_reading(empty, query)

    def _from_counts(self, empty: Histogram, query: ast.Query, width: int) -> Histogram:
        rows = self._rows(
            "SELECT start, service, level, records FROM logsvc_count WHERE width = %s AND start >= %s AND start < %s",
            [width, empty.from_ns // NANOSECONDS, empty.to_ns // NANOSECONDS],
        )
        wanted: dict[tuple[str, str], bool] = {}
        for start, service, level, records in rows:
            if (service, level) not in wanted:
                wanted[service, level] = matches(query, conditions.representative(service, level))
            if wanted[service, level]:
                bucket = empty.counts[(start * NANOSECONDS - empty.from_ns) // empty.step_ns]
                bucket[level] = bucket.get(level, 0) + records
        return empty

    def _by_index(self, empty: Histogram, condition: Condition) -> Histogram:
        """The newest part of the range first, so that what is missing when time is over is the oldest."""
        ends_at = time.monotonic() + SEARCH_SECONDS
        total = len(empty.counts)
        edges = sorted({total * piece // SLICES for piece in range(SLICES + 1)}, reverse=True)
        for above, low in pairwise(edges):
            if time.monotonic() > ends_at:
                return _incomplete(empty)
            start, end = empty.from_ns + low * empty.step_ns, empty.from_ns + above * empty.step_ns
            try:
                counted = self._counted(condition.node, first_id_from(start), first_id_from(end), empty)
            except Busy:
                return _incomplete(empty)
            for number, level, records in counted:
                bucket = empty.counts[number]
                bucket[level] = bucket.get(level, 0) + records
        return empty

    def _by_reading(self, empty: Histogram, query: ast.Query) -> Histogram:
        search = Search(query=query, within=Range(from_ns=empty.from_ns, to_ns=empty.to_ns), limit=COUNTED_RECORDS)
        page = self._search(search)
        for record in page.records:
            bucket = empty.counts[(nanoseconds(record.id) - empty.from_ns) // empty.step_ns]
            level = severity.range_of(record.severity).name
            bucket[level] = bucket.get(level, 0) + 1
        return empty if page.next is None and page.is_complete else _incomplete(empty)

    def facets(self, *, query: ast.Query, within: Range, fields: Sequence[str], limit: int = 10) -> Facets:
        page = self.search(Search(query=query, within=within, limit=FACET_RECORDS))
        values: dict[str, list[tuple[str, int]]] = {}
        for name in fields:
            counter = Counter(value for record in page.records for value in _values(record, name))
            values[name] = sorted(counter.items(), key=lambda each: (-each[1], each[0]))[:limit]
        return Facets(values=values, counted=len(page.records), is_complete=page.is_complete and page.next is None)

    def attribute_names(self, *, within: Range, query: ast.Query = ast.EVERYTHING) -> list[str]:
        page = self.search(Search(query=query, within=within, limit=1000))
        return sorted({name for record in page.records for name in record.attributes})

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
                stored_bytes=int(size),
                oldest_ns=oldest * NANOSECONDS,
                newest_ns=(newest + WIDTHS[1]) * NANOSECONDS,
            )
            for service, level, records, size, oldest, newest in rows
        ]

    # Retention

    def expired(self, expiry: Expiry, *, after: int | None, limit: int) -> Page:
        node = conditions.Every(
            (
                conditions.Tag(terms.cached_tag("s", expiry.service)),
                conditions.Tag(terms.level_tag(severity.Severity[expiry.level])),
            )
        )
        lowest = 0 if after is None else after + 1
        with self._translated():
            found = self._read(node, lowest, first_id_from(expiry.before_ns), limit=limit, is_ascending=True)
        is_old = [each for each in found if not expiry.only_by_arrival or each.received_ns < expiry.before_ns]
        return Page(records=is_old, next=found[-1].id if len(found) == limit else None)

    def oldest_to_free(self, service: str, level: str, *, bytes_to_free: int) -> int:
        with self._translated():
            rows = self._rows(
                "SELECT start, stored_bytes FROM logsvc_count WHERE width = %s AND service = %s AND level = %s"
                " ORDER BY start",
                [WIDTHS[0], service, level],
            )
        end, freed = 0, 0
        for start, size in rows:
            if freed >= bytes_to_free:
                break
            freed += size
            end = (start + WIDTHS[0]) * NANOSECONDS
        return end

    # What a database says in its own words

    @abstractmethod
    def _indexed(self, record: Record) -> Any:
        """What the full-text index is given of a record."""

    @abstractmethod
    def _insert(self, rows: Sequence[tuple[tuple[Any, ...], Any]]) -> None:
        """Rows, each with what `_indexed` made."""

    @abstractmethod
    def _remove(self, records: Collection[Stored]) -> None: ...

    @abstractmethod
    def _known_uids(self, uids: list[str]) -> set[str]: ...

    @abstractmethod
    def _id_of_uid(self, uid: str) -> int | None: ...

    @abstractmethod
    def _taken(self, identifiers: list[int]) -> set[int]: ...

    @abstractmethod
    def _selection(self, node: Node | None) -> tuple[str, list[Any]]:
        """A SELECT of the columns of the records that a condition finds, ending in a WHERE that goes on."""

    @abstractmethod
    def _order_column(self, node: Node | None) -> str: ...

    @abstractmethod
    def _counted(self, node: Node | None, lowest: int, below: int, empty: Histogram) -> list[tuple[int, str, int]]:
        """For each bucket of a histogram and level: the bucket's number, the level, how many."""

    @abstractmethod
    @contextmanager
    def _limited(self) -> Iterator[None]:
        """End a statement that takes too long, with Busy."""

    @abstractmethod
    @contextmanager
    def _translated(self) -> Iterator[None]:
        """Raise Full where the disk is."""

    @abstractmethod
    def give_back_space(self) -> None: ...

    @abstractmethod
    def size(self) -> Size: ...

    # Asking

    def _condition(self, query: ast.Query) -> Condition:
        return conditions.compile_query(query, self._recent_services)

    def _recent_services(self) -> Collection[str]:
        if time.monotonic() - self._services_read_at > SERVICES_SECONDS:
            self._services = self.services()
            self._services_read_at = time.monotonic()
        return self._services

    def _rows(self, statement: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
        with connection.cursor() as cursor:
            cursor.execute(statement, parameters)
            return list(cursor.fetchall())

    def _row(self, statement: str, parameters: Sequence[Any]) -> tuple[Any, ...]:
        return self._rows(statement, parameters)[0]

    def _execute(self, statement: str, parameters: Sequence[Any] = ()) -> None:
        with connection.cursor() as cursor:
            cursor.execute(statement, parameters)

    def _execute_many(self, statement: str, rows: Sequence[Sequence[Any]]) -> None:
        with connection.cursor() as cursor:
            cursor.executemany(statement, rows)


def _identifier(entry: tuple[tuple[Any, ...], Any]) -> int:
    identifier: int = entry[0][0]
    return identifier


def _size(record: Stored) -> int:
    """About what its texts take in memory."""
    return len(record.body) + sum(len(value) if isinstance(value, str) else 64 for value in record.attributes.values())


def _fitting_chunk(read: Sequence[Stored]) -> int:
    """How many rows to read next, by the size of those before."""
    mean = sum(map(_size, read)) // len(read) + 200
    return max(SHORTEST_CHUNK, min(LONGEST_CHUNK, CHUNK_BYTES // mean))


def _bounds(search: Search) -> tuple[int, int]:
    """The lowest id and the one after the highest."""
    lowest = 0 if search.within.from_ns is None else first_id_from(search.within.from_ns)
    below = HIGHEST_ID if search.within.to_ns is None else first_id_from(search.within.to_ns)
    if search.before is not None:
        below = min(below, search.before)
    if search.after is not None:
        lowest = max(lowest, search.after + 1)
    return lowest, below


def _uid(query: ast.Query) -> str | None:
    match query:
        case ast.Equals(ast.Field.UID, value, False):
            return value
        case ast.All(parts):
            return next((uid for uid in map(_uid, parts) if uid is not None), None)
    return None


def _incomplete(histogram: Histogram) -> Histogram:
    return Histogram(
        from_ns=histogram.from_ns,
        to_ns=histogram.to_ns,
        step_ns=histogram.step_ns,
        counts=histogram.counts,
        is_complete=False,
    )


def _values(record: Stored, name: str) -> list[str]:
    if name == "level":
        return [severity.range_of(record.severity).name]
    if name.startswith("attr."):
        return list(map(value_text, attribute_values(record.attributes, name.removeprefix("attr."))))
    value = member(record, ast.Field(name))
    return [value] if value else []
