"""Rows of instances with the journal's head of the same moment, each time by one statement."""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from django.db import connection

from registry.database import rows, statements


class Wanted(msgspec.Struct, frozen=True):
    """The instances of a service whose names follow a name, by name; of a zone and a version where they are given."""

    service: str
    after: str = ""
    zone: str | None = None
    version: str | None = None
    limit: int | None = None


# The journal's history and revision; None where nothing was ever written.
Head = tuple[str, int] | None
# What tells one version of a row from another, within one history. SQLite has nothing of the kind.
Stamp = tuple[bytes, bytes]
Row = tuple[Any, ...]

_COLUMNS = rows.columns("instance")
# What is wanted comes as JSON, as statements with arrays are planned anew for each length.
_STAMPS = """
    SELECT head.history, head.revision, instance.* FROM registry_head head CROSS JOIN ROWS FROM (
        json_to_recordset(%s::json) AS (service text, after text, zone text, version text, "limit" bigint)
    ) WITH ORDINALITY wanted (service, after, zone, version, most, number) CROSS JOIN LATERAL (
        SELECT array_agg(id), array_agg(xmin), array_agg(ctid) FROM (
            SELECT id, xmin, ctid FROM registry_instance WHERE service = wanted.service AND name > wanted.after
            AND (wanted.zone IS NULL OR zone = wanted.zone) AND (wanted.version IS NULL OR version = wanted.version)
            ORDER BY name LIMIT wanted.most
        ) matching
    ) instance WHERE head.id = 1 ORDER BY wanted.number
"""


def select(wanted: Wanted) -> tuple[Head, list[tuple[Stamp | None, Row]]]:
    """The rows, each behind its stamp."""
    is_postgresql = connection.vendor == "postgresql"
    condition, parameters = rows.equal(service=wanted.service, zone=wanted.zone, version=wanted.version)
    stamp = "instance.xmin, instance.ctid" if is_postgresql else "NULL, NULL"
    statement = f"""
        SELECT head.history, head.revision, {stamp}, {_COLUMNS} FROM registry_head head
        LEFT JOIN registry_instance instance ON {condition} AND name > %s
        WHERE head.id = 1 ORDER BY instance.service, instance.name LIMIT %s
    """  # noqa: S608 -- names of ours
    limit = -1 if wanted.limit is None and not is_postgresql else wanted.limit
    found = statements.fetch_prepared(statement, [*parameters, wanted.after, limit])
    stamped = [(row[2:4] if is_postgresql else None, row[4:]) for row in found if row[4 + rows.ID] is not None]
    return (found[0][:2] if found else None), stamped


def stamps(wanted: Sequence[Wanted]) -> tuple[Head, list[Iterable[tuple[int, Stamp]]]]:
    """The ids and stamps of the rows for each wanted, on PostgreSQL.

    Of rows that are known it need write out no more, and for a second wanted it takes a tenth of what the first does.
    """
    found = statements.fetch_prepared(_STAMPS, [msgspec.json.encode(wanted).decode()])
    if not found:
        return None, [()] * len(wanted)
    head: Head = found[0][:2]
    return head, [
        zip(ids or (), zip(xmins or (), ctids or (), strict=True), strict=True) for *_, ids, xmins, ctids in found
    ]
