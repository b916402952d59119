"""The interface of a store of records; `current.store()` returns the one that the settings name."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from logsvc.ordering import HIGHEST_ID, first_id_from
from logsvc.query.ast import EVERYTHING, Query
from logsvc.record import Record, Stored
from logsvc.storage.prepared import Prepared


@dataclass(frozen=True, kw_only=True)
class Range:
    """Times from `from_ns` on and before `to_ns`, by which records are ordered; None is open."""

    from_ns: int | None = None
    to_ns: int | None = None


ALWAYS = Range()


@dataclass(frozen=True, kw_only=True)
class Search:
    """Records that match `query` in `within`; `before` and `after` are ids, themselves left out.

    Newest first, or oldest first with `is_ascending`.
    """

    query: Query = EVERYTHING
    within: Range = ALWAYS
    before: int | None = None
    after: int | None = None
    limit: int = 100
    is_ascending: bool = False

    def bounds(self) -> tuple[int, int]:
        """The lowest id that may be found, and the one after the highest."""
        lowest = 0 if self.within.from_ns is None else first_id_from(self.within.from_ns)
        below = HIGHEST_ID if self.within.to_ns is None else first_id_from(self.within.to_ns)
        if self.before is not None:
            below = min(below, self.before)
        if self.after is not None:
            lowest = max(lowest, self.after + 1)
        return lowest, below


@dataclass(frozen=True, kw_only=True)
class Page:
    """A page of search results. `next` is the `before` (or `after`) of the following page, None on the last.

    A search that reads records one by one ends when its time is over: then `is_complete` is False, the page may be
    short or empty, and `next` goes on where it ended.
    """

    records: list[Stored]
    next: int | None
    is_complete: bool = True


@dataclass(frozen=True, kw_only=True)
class Tail:
    """Records in the order of their arrival. `cursor` is the `after_seq` of what follows.

    `is_gapless` is False when retention removed records that came after the cursor that was asked for.
    """

    records: list[Stored]
    cursor: int
    is_gapless: bool = True


@dataclass(frozen=True, kw_only=True)
class Histogram:
    """Counts by time and by severity range: `counts[n]` belongs to `from_ns + n * step_ns`.

    `from_ns` and `to_ns` are what was asked for, widened to whole steps. Where not all matches could be counted in
    time, `is_complete` is False and the newest are counted.
    """

    from_ns: int
    to_ns: int
    step_ns: int
    counts: list[dict[str, int]]
    is_complete: bool = True


@dataclass(frozen=True, kw_only=True)
class Facets:
    """The most frequent values of each field among the newest matches; `counted` is how many were looked at."""

    values: dict[str, list[tuple[str, int]]]
    counted: int
    is_complete: bool


@dataclass(frozen=True, kw_only=True)
class Usage:
    """One service's records in one severity range; `stored_bytes` counts texts and attributes as they were sent."""

    service: str
    level: str
    records: int
    stored_bytes: int
    oldest_ns: int
    newest_ns: int


@dataclass(frozen=True, kw_only=True)
class Expiry:
    """Records of one service and severity range that are older than a time, by their own and by their arrival."""

    service: str
    level: str
    before_ns: int
    # False also takes what arrived later, where room has to be made.
    only_by_arrival: bool = True


@dataclass(frozen=True, kw_only=True)
class Size:
    """Bytes on disk, and how many of them are free for new records."""

    total_bytes: int
    free_bytes: int = field(default=0)


class Store(Protocol):
    """Every method may be called from any thread. Methods raise Busy when a query takes too long and Full when the
    disk has no room; the errors of a database that is away are passed on.
    """

    # How many records are best deleted by one call.
    deleted_at_once: int

    def append(self, records: Sequence[Record], *, received_ns: int) -> int:
        """Store all of `records` or none, except those whose uid is known; returns how many are new.

        They are on disk when it returns.
        """

    def prepare(self, records: Sequence[Record]) -> Prepared:
        """Do all the work on records that needs no database, in the caller's thread."""

    def append_prepared(self, batches: Sequence[Prepared], *, received_ns: int) -> int:
        """Store batches as `append` does, all of them or none. They may be tried again after an error."""

    def search(self, search: Search) -> Page: ...

    def get(self, identifier: int) -> Stored | None: ...

    def context(self, record: Stored, *, before: int, after: int) -> tuple[list[Stored], list[Stored]]:
        """The records of the same service and instance just before and just after, each in the order of time."""

    def tail(self, *, after_seq: int, query: Query = EVERYTHING, limit: int = 500) -> Tail: ...

    def head(self) -> int:
        """The greatest `seq`; 0 in an empty store."""

    def histogram(self, *, query: Query, within: Range, step_ns: int) -> Histogram: ...

    def facets(self, *, query: Query, within: Range, fields: Sequence[str], limit: int = 10) -> Facets:
        """`fields` are `level`, names of `ast.Field`, or `attr.NAME`."""

    def attribute_names(self, *, within: Range, query: Query = EVERYTHING) -> list[str]:
        """Names of attributes among the newest matches."""

    def services(self) -> dict[str, int]:
        """Every service that has records, and how many."""

    def usage(self) -> list[Usage]: ...

    def expired(self, expiry: Expiry, *, after: int | None, limit: int) -> Page:
        """A batch of the records that `expiry` covers, oldest first; `after` is the `next` of the batch before."""

    def oldest_to_free(self, service: str, level: str, *, bytes_to_free: int) -> int:
        """The time before which the records of that service and range hold about this many bytes."""

    def delete(self, records: Collection[Stored]) -> None:
        """Delete records, with their counts and index entries."""

    def give_back_space(self) -> None:
        """Return freed space to the file system, as far as that is possible without long locks."""

    def size(self) -> Size: ...

    def forget(self) -> None:
        """Drop cached knowledge of the database, when another has taken its place."""


def batches(records: Iterable[Record], size: int) -> Iterable[list[Record]]:
    batch: list[Record] = []
    for record in records:
        batch.append(record)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch
