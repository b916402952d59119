"""Search over a full-text index that may find too much: each record it finds is then checked."""

import re
import time
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

from logsvc import severity
from logsvc.ordering import COUNTERS, HIGHEST_ID, first_id_from, nanoseconds
from logsvc.query import ast
from logsvc.query.matching import field_values, matches, predicate
from logsvc.record import NANOSECONDS, Record, Stored
from logsvc.storage import conditions, head, identifiers, terms
from logsvc.storage.conditions import Condition, Node
from logsvc.storage.errors import Busy
from logsvc.storage.interface import Expiry, Facets, Histogram, Page, Range, Search, Size, Tail, Usage
from logsvc.storage.prepared import Placed, Prepared
from logsvc.storage.rows import CHUNK_BYTES, WIDTHS, Chunk, counts, kind, minutes_of_ids, minutes_of_times, size

# A search that reads records one by one stops after this time, and says where to continue.
SEARCH_SECONDS = 3.0
# The time limit of a single statement.
STATEMENT_SECONDS = 10.0
# Rows that are read at once: a few at first, and then as many as their size allows.
FIRST_CHUNK, SHORTEST_CHUNK, LONGEST_CHUNK = 101, 20, 2000
# A page ends early when its records are so large together: what one question costs in memory is bounded.
PAGE_BYTES = 32 * 1024 * 1024
# Facets are counted among this many of the newest matches.
FACET_RECORDS = 10_000
# Matches that are read one by one to be counted.
COUNTED_RECORDS = 50_000
# A histogram that needs the index is counted in this many pieces, the newest first, until its time is over.
SLICES = 8
SERVICES_SECONDS = 2.0
_UID = re.compile("[0-9a-f]{32}")


class IndexedStore(ABC):
    """A store whose subclass reads records by a condition on its full-text index."""

    # The uid of a row that has none.
    no_uid: Any = None

    def __init__(self) -> None:
        self._services: dict[str, int] = {}
        self._services_read_at = float("-inf")

    def forget(self) -> None:
        self._services_read_at = float("-inf")

    # Storing

    def prepare(self, records: Sequence[Record]) -> Prepared:
        rows = list(map(self._row_of, records))
        times = [record.time_ns for record in records]
        kinds, sizes = list(map(kind, records)), list(map(size, rows))
        return Prepared(
            times=times,
            rows=rows,
            entries=list(map(self._indexed, records)),
            kinds=kinds,
            sizes=sizes,
            counted=[counts(minutes_of_times(times), kinds, sizes)],
        )

    def append(self, records: Sequence[Record], *, received_ns: int) -> int:
        return self.append_prepared([self.prepare(records)], received_ns=received_ns)

    def _place(self, batch: Prepared, *, first_seq: int, received_ns: int) -> Placed:
        """Give an id to each record that is not stored yet."""
        seqs: Sequence[int] = range(first_seq, first_seq + len(batch))
        uids = batch.uids()
        if uids:
            batch, places = batch.without(self._known_uids(uids), no_uid=self.no_uid)
            seqs = [first_seq + place for place in places]
        if not batch.rows:
            return Placed()
        times = batch.order_times(received_ns)
        ids = identifiers.choose(times)
        stored = self._taken(ids)
        if stored:
            ids = identifiers.moved(ids, times, stored=stored, highest=self._highest)
        # More than the ids of a microsecond may reach into the next minute.
        if stored or times is not batch.times or len(ids) > COUNTERS:
            batch.counted = [counts(minutes_of_ids(ids), batch.kinds, batch.sizes)]
        rows, entries = batch.rows, batch.entries
        order = sorted(range(len(ids)), key=ids.__getitem__)
        if order != list(range(len(ids))):
            ids, seqs = [ids[place] for place in order], [seqs[place] for place in order]
            rows, entries = [rows[place] for place in order], [entries[place] for place in order]
        return Placed(ids=ids, seqs=seqs, received_ns=received_ns, rows=rows, entries=entries, counted=batch.counted)

    # Finding

    def search(self, search: Search) -> Page:
        with self._translated(), self._limited():
            return self._search(search)

    def _search(self, search: Search) -> Page:
        lowest, below = search.bounds()
        uid = _uid(search.query)
        if uid is not None:
            identifier = self._id_of_uid(uid) if _UID.fullmatch(uid) else None
            if identifier is None or not lowest <= identifier < below:
                return Page(records=[], next=None)
            lowest, below = identifier, identifier + 1
        condition = self._condition(search.query)
        is_match = predicate(search.query)
        ends_at = time.monotonic() + SEARCH_SECONDS
        found: list[Stored] = []
        found_bytes, chunk = 0, min(search.limit + 1, FIRST_CHUNK)
        while lowest < below:
            read, is_last = self._read(condition.node, lowest, below, limit=chunk, is_ascending=search.is_ascending)
            for record in read:
                if not is_match(record):
                    continue
                if len(found) == search.limit or found_bytes > PAGE_BYTES:
                    return Page(records=found, next=found[-1].id if found else None)
                found.append(record)
                found_bytes += record.memory_bytes
            if is_last:
                break
            if search.is_ascending:
                lowest = read[-1].id + 1
            else:
                below = read[-1].id
            chunk = _fitting_chunk(read)
            if time.monotonic() > ends_at:
                return Page(records=found, next=read[-1].id, is_complete=False)
        return Page(records=found, next=None)

    def context(self, record: Stored, *, before: int, after: int) -> tuple[list[Stored], list[Stored]]:
        node = conditions.Tag(
            terms.instance_tag(record.service, record.instance)
            if record.instance
            else terms.cached_tag("s", record.service)
        )
        with self._translated(), self._limited():
            older = self._read(node, 0, record.id, limit=before, is_ascending=False).records
            newer = self._read(node, record.id + 1, HIGHEST_ID, limit=after, is_ascending=True).records
        return older[::-1], newer

    def tail(self, *, after_seq: int, query: ast.Query = ast.EVERYTHING, limit: int = 500) -> Tail:
        with self._translated(), self._limited():
            _, deleted = head.read()
            records: list[Stored] = []
            chunk, seq = FIRST_CHUNK, max(after_seq, -1)
            while len(records) < limit and sum(each.memory_bytes for each in records) < CHUNK_BYTES:
                read, is_last = self._read_arrivals(seq, min(chunk, limit - len(records)))
                records += read
                if is_last:
                    break
                seq, chunk = read[-1].seq, _fitting_chunk(read)
        is_match = predicate(query)
        return Tail(
            records=[record for record in records if is_match(record)],
            cursor=records[-1].seq if records else after_seq,
            is_gapless=after_seq >= deleted,
        )

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
        services = conditions.named_services(query)
        rows = self._rolled_up(width, empty.from_ns // NANOSECONDS, empty.to_ns // NANOSECONDS, services)
        wanted: dict[tuple[str, str], bool] = {}
        for start, service, level, records in rows:
            if (service, level) not in wanted:
                wanted[service, level] = matches(query, conditions.representative(service, level))
            if wanted[service, level]:
                bucket = empty.counts[(start * NANOSECONDS - empty.from_ns) // empty.step_ns]
                bucket[level] = bucket.get(level, 0) + records
        return empty

    def _by_index(self, empty: Histogram, condition: Condition) -> Histogram:
        """Count the newest part of the range first, so that only the oldest is missing when time runs out."""
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
            counter = Counter(value for record in page.records for value in field_values(record, name))
            values[name] = sorted(counter.items(), key=lambda each: (-each[1], each[0]))[:limit]
        return Facets(values=values, counted=len(page.records), is_complete=page.is_complete and page.next is None)

    def attribute_names(self, *, within: Range, query: ast.Query = ast.EVERYTHING) -> list[str]:
        page = self.search(Search(query=query, within=within, limit=1000))
        return sorted({name for record in page.records for name in record.attributes})

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
            found, is_last = self._read(node, lowest, first_id_from(expiry.before_ns), limit=limit, is_ascending=True)
        is_old = [each for each in found if not expiry.only_by_arrival or each.received_ns < expiry.before_ns]
        return Page(records=is_old, next=None if is_last else found[-1].id)

    def oldest_to_free(self, service: str, level: str, *, bytes_to_free: int) -> int:
        with self._translated():
            sizes = self._sizes(service, level)
        end, freed = 0, 0
        for start, stored_bytes in sizes:
            if freed >= bytes_to_free:
                break
            freed += stored_bytes
            end = (start + WIDTHS[0]) * NANOSECONDS
        return end

    # Implemented by each engine

    @abstractmethod
    def append_prepared(self, batches: Sequence[Prepared], *, received_ns: int) -> int: ...

    @abstractmethod
    def _row_of(self, record: Record) -> tuple[Any, ...]:
        """The row of a record (rows.values)."""

    @abstractmethod
    def _indexed(self, record: Record) -> Any:
        """The entry of a record in the full-text index."""

    @abstractmethod
    def _known_uids(self, uids: list[Any]) -> dict[Any, str]:
        """The stored ones among these uids, which are as rows have them, and the service of each."""

    @abstractmethod
    def _id_of_uid(self, uid: str) -> int | None: ...

    @abstractmethod
    def _taken(self, ids: list[int]) -> set[int]:
        """The ids among these that are stored."""

    @abstractmethod
    def _highest(self, microseconds: list[int]) -> dict[int, int]:
        """The highest id that is stored of each of these microseconds."""

    @abstractmethod
    def _read(self, node: Node | None, lowest: int, below: int, *, limit: int, is_ascending: bool) -> Chunk:
        """Records that a condition finds, by id."""

    @abstractmethod
    def _read_arrivals(self, after_seq: int, limit: int) -> Chunk: ...

    @abstractmethod
    def _counted(self, node: Node | None, lowest: int, below: int, empty: Histogram) -> list[tuple[int, str, int]]:
        """The counts of a histogram: the bucket's number, the level, how many."""

    @abstractmethod
    def _rolled_up(
        self, width: int, first: int, end: int, services: Collection[str] | None
    ) -> list[tuple[int, str, str, int]]:
        """The counts of the buckets of a width from one time on and before another, in seconds: start, service, level,
        how many. Of these services alone, unless they are None.
        """

    @abstractmethod
    def _sizes(self, service: str, level: str) -> list[tuple[int, int]]:
        """The minutes in which a service has records of a level, the oldest first, and the bytes of each."""

    @abstractmethod
    @contextmanager
    def _limited(self) -> Iterator[None]:
        """End a statement that takes too long, with Busy."""

    @abstractmethod
    @contextmanager
    def _translated(self) -> Iterator[None]:
        """Raise Full when the disk is full."""

    @abstractmethod
    def get(self, identifier: int) -> Stored | None: ...

    @abstractmethod
    def services(self) -> dict[str, int]: ...

    @abstractmethod
    def usage(self) -> list[Usage]: ...

    @abstractmethod
    def give_back_space(self) -> None: ...

    @abstractmethod
    def size(self) -> Size: ...

    # Conditions

    def _condition(self, query: ast.Query) -> Condition:
        return conditions.compile_query(query, self._recent_services)

    def _recent_services(self) -> Collection[str]:
        if time.monotonic() - self._services_read_at > SERVICES_SECONDS:
            self._services = self.services()
            self._services_read_at = time.monotonic()
        return self._services


def _fitting_chunk(read: Sequence[Stored]) -> int:
    """The number of rows to read next, by the size of the last ones."""
    mean = sum(each.memory_bytes for each in read) // len(read) + 200
    return max(SHORTEST_CHUNK, min(LONGEST_CHUNK, CHUNK_BYTES // mean))


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
