"""Instances as JSON, made from their rows: a row that reads as before is not encoded again.

Between two reads of a service hardly one of its instances has changed.
"""

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any, NamedTuple

import msgspec
from django.db import connection

from registry.database import rows
from registry.discovery.queries import Instances
from registry.journal.log import Position
from registry.wire.bodies import registered_instance

# Enough for 30,000 instances, most of which take 2 kB.
MOST_BYTES = 80 * 1024 * 1024
# For each row, besides its strings, which are about as long as the JSON.
OVERHEAD_BYTES = 1024


class Shown(NamedTuple):
    name: str
    status: str
    tags: Sequence[str]
    encoded: msgspec.Raw


_Row = tuple[Any, ...]


class RowJsonCache:
    """Instances as JSON, by id. It is emptied once as much was put in as it may hold."""

    def __init__(self, *, most_bytes: int = MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._made: dict[int, tuple[object, Shown]] = {}
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._made)

    def instances(self, service: str, query: Instances) -> tuple[Position, list[Shown]]:
        """The position they are read at, and the matching instances of a service by name: a page and one more."""
        condition, parameters = rows.equal(service=service, zone=query.zone, version=query.version)
        # Tags and status are matched here, and then all rows may have to be read.
        limit = query.limit + 1 if query.limit and query.tag is None and query.status is None else None
        at, found = self._read(f"{condition} AND name > %s", [*parameters, query.cursor or ""], limit=limit)
        # In Python: SQLite has no JSON containment, and the shown status is made from three columns.
        matching = (
            each
            for each in found
            if (query.tag is None or query.tag in each.tags) and (query.status is None or each.status == query.status)
        )
        return Position(*at) if at else Position(), list(islice(matching, query.limit and query.limit + 1))

    def _read(
        self, condition: str, parameters: Sequence[Any], *, limit: int | None
    ) -> tuple[tuple[str, int] | None, Iterable[Shown]]:
        if connection.vendor == "postgresql":
            at, stamped = rows.stamps_at_head(condition, parameters, limit=limit)
            kept = [self._kept(pk, (at and at[0], stamp)) for stamp, (pk,) in stamped]
            known = [shown for shown in kept if shown is not None]
            if len(known) == len(kept):
                return at, known
        at, selected = rows.select_at_head(condition, parameters, limit=limit)
        # Without a stamp, a row is its own. Another history may have given the same stamp to something else.
        return at, (self._shown(row, row if stamp is None else (at and at[0], stamp)) for stamp, row in selected)

    def _kept(self, pk: int, version: object) -> Shown | None:
        version_before, shown = self._made.get(pk, (None, None))
        return shown if version_before == version else None

    def _shown(self, row: _Row, version: object) -> Shown:
        shown = self._kept(row[rows.ID], version)
        if shown is None:
            instance = rows.instance(row)
            encoded = msgspec.Raw(msgspec.json.encode(registered_instance(instance)))
            shown = Shown(instance.name, instance.shown_status, instance.tags, encoded)
            if self._bytes >= self._most_bytes:
                self._made, self._bytes = {}, 0
            self._made[row[rows.ID]] = version, shown
            self._bytes += 2 * len(bytes(encoded)) + OVERHEAD_BYTES
        return shown
