"""Rows of instances with the journal's head of the same moment, each time by one statement."""

from collections.abc import Sequence
from typing import Any

import msgspec

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
# What tells one version of a row from another, within one history.
Stamp = tuple[bytes, bytes]
Row = tuple[Any, ...]

_COLUMNS = rows.columns("instance")
# What is wanted comes as JSON, as statements with arrays are planned anew for each length.
_OF_EACH = """
    SELECT head.history, head.revision, {columns} FROM registry_head head CROSS JOIN ROWS FROM (
        json_to_recordset(%s::json) AS (service text, after text, zone text, version text, "limit" bigint)
    ) WITH ORDINALITY wanted (service, after, zone, version, most, number)
    {join} WHERE head.id = 1 ORDER BY {order}
"""
_MATCHING = """
    SELECT {columns} FROM registry_instance instance WHERE service = wanted.service AND name > wanted.after
    AND (wanted.zone IS NULL OR zone = wanted.zone) AND (wanted.version IS NULL OR version = wanted.version)
    ORDER BY name LIMIT wanted.most
"""
_STAMPS = _OF_EACH.format(
    columns="found.*",
    join=f"""CROSS JOIN LATERAL (
        SELECT array_agg(id), array_agg(xmin), array_agg(ctid)
        FROM ({_MATCHING.format(columns="id, xmin, ctid")}) matching
    ) found""",  # noqa: S608 -- what is put in is a statement of this module
    order="number",
)
_ROWS = _OF_EACH.format(
    columns="number, found.*",
    join=f"LEFT JOIN LATERAL ({_MATCHING.format(columns=f'xmin, ctid, {_COLUMNS}')}) found ON true",
    order="number, name",
)


def select(wanted: Wanted) -> tuple[Head, list[Row]]:
    """The rows, on SQLite."""
    condition, parameters = rows.equal(service=wanted.service, zone=wanted.zone, version=wanted.version)
    found = statements.fetch(
        f"""
        SELECT head.history, head.revision, {_COLUMNS} FROM registry_head head
        LEFT JOIN registry_instance instance ON {condition} AND name > %s
        WHERE head.id = 1 ORDER BY instance.service, instance.name LIMIT %s
        """,  # noqa: S608 -- what is put in are names of our columns; what is asked for is in the parameters
        [*parameters, wanted.after, -1 if wanted.limit is None else wanted.limit],
    )
    return (found[0][:2] if found else None), [row[2:] for row in found if row[2 + rows.ID] is not None]


def stamps(wanted: Sequence[Wanted]) -> tuple[Head, list[list[tuple[int, Stamp]]]]:
    """The ids and stamps of the rows for each wanted, on PostgreSQL.

    Of rows that are known it need write out no more, and for a second wanted it takes a tenth of what the first does.
    """
    found = statements.fetch_prepared(_STAMPS, [_encoded(wanted)])
    if not found:
        return None, [[] for _ in wanted]
    head: Head = found[0][:2]
    return head, [
        list(zip(ids or (), zip(xmins or (), ctids or (), strict=True), strict=True)) for *_, ids, xmins, ctids in found
    ]


def stamped_rows(wanted: Sequence[Wanted]) -> tuple[Head, list[list[tuple[Stamp, Row]]]]:
    """The rows for each wanted behind their stamps, on PostgreSQL."""
    head: Head = None
    found: list[list[tuple[Stamp, Row]]] = [[] for _ in wanted]
    for history, revision, number, xmin, ctid, *row in statements.fetch_prepared(_ROWS, [_encoded(wanted)]):
        head = history, revision
        if xmin is not None:
            found[number - 1].append(((xmin, ctid), tuple(row)))
    return head, found


def _encoded(wanted: Sequence[Wanted]) -> str:
    return msgspec.json.encode(wanted).decode()
