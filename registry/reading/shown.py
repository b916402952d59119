"""Instances as they are shown, made of their rows: a row that reads as before is not made into JSON again.

Of a service whose instances are asked for again and again hardly one has changed in between.
"""

from collections.abc import Sequence
from functools import lru_cache
from itertools import islice
from typing import Any, NamedTuple

import msgspec

from registry import rows
from registry.reading.queries import Instances
from registry.representation import instance_body

# At 3 kB each.
MOST_KEPT = 4096


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


@lru_cache(MOST_KEPT)
def _shown(row: tuple[Any, ...]) -> Shown:
    instance = rows.instance(row)
    encoded = msgspec.Raw(msgspec.json.encode(instance_body(instance)))
    return Shown(instance.name, instance.shown_status, instance.tags, encoded)
