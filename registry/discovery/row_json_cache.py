"""Instances as JSON, made from their rows: a row that reads as before is not encoded again.

Between two reads of a service hardly one of its instances has changed.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple

import msgspec
from django.db import connection

from registry.database import rows, snapshots
from registry.database.snapshots import Head, Row, Stamp, Wanted
from registry.discovery.pages import Page, page_of
from registry.discovery.queries import Instances
from registry.journal.log import Position
from registry.wire.bodies import registered_instance

# Enough for 30,000 instances, most of which take 2 kB.
MOST_BYTES = 80 * 1024 * 1024
# For each row, besides its strings, which are about as long as the JSON.
OVERHEAD_BYTES = 1024
# Rows that one statement reads, unless all are of one service.
MOST_ROWS = 1000
_NOTHING = (None, None)


class Shown(NamedTuple):
    name: str
    status: str
    tags: Sequence[str]
    encoded: msgspec.Raw


class Asked(NamedTuple):
    """A read of a service's instances."""

    service: str
    query: Instances

    def wanted(self) -> Wanted:
        query = self.query
        # Tags and status are matched when the rows are read, all of which may have to be.
        limit = query.limit + 1 if query.limit and query.tag is None and query.status is None else None
        return Wanted(self.service, query.cursor or "", query.zone, query.version, limit)


class RowJsonCache:
    """Instances as JSON, by id. It is emptied once as much was put in as it may hold."""

    def __init__(self, *, most_bytes: int = MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._made: dict[int, tuple[object, Shown]] = {}
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._made)

    def pages(self, asked: Sequence[Asked]) -> Iterator[Page]:
        """The pages of the instances that are asked for, read at once on PostgreSQL."""
        for (service, query), (at, found) in zip(asked, self.instances(asked), strict=True):
            shown = found[: query.limit]
            following = shown[-1].name if len(found) > len(shown) else None
            members = {"instances": [each.encoded for each in shown], "next": following}
            yield page_of(at, [service], members)

    def instances(self, asked: Sequence[Asked]) -> Iterator[tuple[Position, list[Shown]]]:
        """The position that each is read at, and the matching instances of its service by name: a page and one more."""
        for (_, query), (head, found) in zip(asked, self._read([each.wanted() for each in asked]), strict=True):
            # In Python: SQLite has no JSON containment, and the shown status is made from three columns.
            matching = (
                each
                for each in found
                if (query.tag is None or query.tag in each.tags)
                and (query.status is None or each.status == query.status)
            )
            yield Position(*head) if head else Position(), list(islice(matching, query.limit and query.limit + 1))

    def _read(self, wanted: Sequence[Wanted]) -> Iterator[tuple[Head, Iterable[Shown]]]:
        if connection.vendor == "sqlite":
            for head, found in map(snapshots.select, wanted):
                # A row is its own stamp.
                yield head, (self._shown(row, row) for row in found)
            return
        head, stamped = snapshots.stamps(wanted)
        known = [self._known(head and head[0], each) for each in stamped]
        unknown = deque(number for number, shown in enumerate(known) if shown is None)
        selected: deque[tuple[Head, Iterable[Shown]]] = deque()
        for shown in known:
            if shown is not None:
                yield head, shown
                continue
            if not selected:
                some = [unknown.popleft()]
                while unknown and sum(len(stamped[number]) for number in (*some, unknown[0])) <= MOST_ROWS:
                    some.append(unknown.popleft())
                selected.extend(self._select([wanted[number] for number in some]))
            yield selected.popleft()

    def _select(self, wanted: Sequence[Wanted]) -> Iterator[tuple[Head, Iterable[Shown]]]:
        head, selected = snapshots.stamped_rows(wanted)
        history = head and head[0]
        for found in selected:
            # Another history may have given the same stamp to something else.
            yield head, [self._shown(row, (history, stamp)) for stamp, row in found]

    def _known(self, history: str | None, stamped: Iterable[tuple[int, Stamp]]) -> list[Shown] | None:
        """The instances of rows, None where one of them is not known."""
        found = []
        for pk, stamp in stamped:
            version, shown = self._made.get(pk, _NOTHING)
            if shown is None or version != (history, stamp):
                return None
            found.append(shown)
        return found

    def _shown(self, row: Row, version: object) -> Shown:
        version_before, shown = self._made.get(row[rows.ID], _NOTHING)
        if shown is None or version_before != version:
            instance = rows.instance(row)
            encoded = msgspec.Raw(msgspec.json.encode(registered_instance(instance)))
            shown = Shown(instance.name, instance.shown_status, instance.tags, encoded)
            if self._bytes >= self._most_bytes:
                self._made, self._bytes = {}, 0
            self._made[row[rows.ID]] = version, shown
            self._bytes += 2 * len(bytes(encoded)) + OVERHEAD_BYTES
        return shown
