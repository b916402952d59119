"""Instances as they are shown, made of their rows: a row that reads as before is not made into JSON again.

Of a service whose instances are asked for again and again hardly one has changed in between.
"""

from collections.abc import Sequence
from itertools import islice
from typing import Any, NamedTuple

import msgspec

from registry import rows
from registry.reading.queries import Instances
from registry.representation import instance_body

# At 2 kB each; beyond that all are given up.
MOST_KEPT = 30_000


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
# By the instance's id, with the row of which it was made.
_kept: dict[int, tuple[_Row, Shown]] = {}


def _shown(row: _Row) -> Shown:
    kept = _kept.get(row[rows.ID])
    if kept is not None and kept[0] == row:
        return kept[1]
    if len(_kept) >= MOST_KEPT:
        _kept.clear()
    shown = _made(row)
    _kept[row[rows.ID]] = row, shown
    return shown


def _made(row: _Row) -> Shown:
    instance = rows.instance(row)
    encoded = msgspec.Raw(msgspec.json.encode(instance_body(instance)))
    return Shown(instance.name, instance.shown_status, instance.tags, encoded)
