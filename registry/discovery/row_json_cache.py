"""Instances as they are shown, made of their rows: a row that reads as before is not made into JSON again.

Of a service whose instances are asked for again and again hardly one has changed in between.
"""

from collections.abc import Sequence
from itertools import islice
from typing import Any, NamedTuple

import msgspec

from registry.database import rows
from registry.discovery.queries import Instances
from registry.wire.bodies import registered_instance

# Of 30,000 instances, most of which are kept in 2 kB.
MOST_BYTES = 80 * 1024 * 1024
# Of a row's own, beside its strings, which are about as long as what is made of them.
OVERHEAD_BYTES = 1024


class Shown(NamedTuple):
    name: str
    status: str
    tags: Sequence[str]
    encoded: msgspec.Raw


def instances(service: str, query: Instances) -> list[Shown]:
    """The instances of a service that match, by name: as many as the page takes, and one more."""
    condition, parameters = rows.equal(service=service, zone=query.zone, version=query.version)
    found = map(_shown, rows.select(f"{condition} AND name > %s", [*parameters, query.cursor or ""]))
    # In Python: JSON containment is not to be had on SQLite, and what is shown is made of three columns.
    matching = (
        each
        for each in found
        if (query.tag is None or query.tag in each.tags) and (query.status is None or each.status == query.status)
    )
    return list(islice(matching, query.limit and query.limit + 1))


_Row = tuple[Any, ...]


class _Kept:
    """What was made of rows, by the instance's id. Given up altogether when so much was put in, replaced or not."""

    def __init__(self) -> None:
        self._made: dict[int, tuple[_Row, Shown]] = {}
        self._bytes = 0

    def get(self, row: _Row) -> Shown | None:
        row_before, made = self._made.get(row[rows.ID], (None, None))
        return made if row_before == row else None

    def put(self, row: _Row, made: Shown) -> None:
        if self._bytes >= MOST_BYTES:
            self._made, self._bytes = {}, 0
        self._made[row[rows.ID]] = row, made
        self._bytes += 2 * len(bytes(made.encoded)) + OVERHEAD_BYTES


_kept = _Kept()


def _shown(row: _Row) -> Shown:
    kept = _kept.get(row)
    if kept is None:
        kept = _made(row)
        _kept.put(row, kept)
    return kept


def _made(row: _Row) -> Shown:
    instance = rows.instance(row)
    encoded = msgspec.Raw(msgspec.json.encode(registered_instance(instance)))
    return Shown(instance.name, instance.shown_status, instance.tags, encoded)
