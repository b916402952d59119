"""Instances from raw rows: reading ten costs a fifth of what the ORM takes.

Most of the ORM's time goes into compiling the query again and converting values one by one (bench/README.md, Reads).
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from django.db import DEFAULT_DB_ALIAS, connection, models
from django.db.models.base import ModelState

from registry.database import statements
from registry.models import Instance


def columns(table: str) -> str:
    """The SQL of the columns in a row of instances, which the table or its alias holds.

    Times are left as the database has them (`_moment`), and JSON as text: the drivers would convert both in each row,
    which takes longer than the statement, and most rows are known.
    """
    return ", ".join(_selected(field, column=f'{table}."{field.column}"') for field in _FIELDS)


def _selected(field: "models.Field[Any, Any]", *, column: str) -> str:
    is_postgresql = connection.vendor == "postgresql"
    if isinstance(field, models.DateTimeField):
        return f"(EXTRACT(EPOCH FROM {column}) * 1000000)::bigint" if is_postgresql else f"CAST({column} AS text)"
    return f"{column}::text" if is_postgresql and isinstance(field, models.JSONField) else column


def _moment(value: int | str | None) -> datetime | None:
    """A time from PostgreSQL's microseconds since 1970, or from SQLite's text."""
    if value is None:
        return None
    return _EPOCH + timedelta(microseconds=value) if isinstance(value, int) else aware(datetime.fromisoformat(value))


def decoded(value: Any) -> Any:
    """The value of a column of JSON, which PostgreSQL's driver has decoded already."""
    return msgspec.json.decode(value) if isinstance(value, str) else value


def aware(moment: datetime | None) -> datetime | None:
    """SQLite keeps times without the time zone, which is UTC."""
    return moment.replace(tzinfo=UTC) if moment is not None and moment.tzinfo is None else moment


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TABLE = Instance._meta.db_table
_FIELDS = Instance._meta.concrete_fields
_NAMES = [field.attname for field in _FIELDS]
# Its position in a row.
ID = _NAMES.index("id")
_SELECT = f"SELECT {columns(_TABLE)} FROM {_TABLE}"  # noqa: S608 -- names of our table and its columns
_CONVERTERS: list[tuple[int, Callable[[Any], Any]]] = [
    (position, msgspec.json.decode if isinstance(field, models.JSONField) else _moment)
    for position, field in enumerate(_FIELDS)
    if isinstance(field, models.JSONField | models.DateTimeField)
]


def instances(
    condition: str, parameters: Sequence[Any], *, order: str = "service, name", locked: bool = False
) -> Iterator[Instance]:
    """The instances of the rows that `select` finds."""
    return map(instance, select(condition, parameters, order=order, locked=locked))


def select(
    condition: str, parameters: Sequence[Any], *, order: str = "service, name", locked: bool = False
) -> Iterator[tuple[Any, ...]]:
    """The rows that match an SQL condition, which is a constant: all input from outside is in `parameters`.

    `locked` locks them until the transaction ends; on SQLite every transaction does.
    """
    lock = "FOR UPDATE" if locked and connection.features.has_select_for_update else ""
    return statements.stream(f"{_SELECT} WHERE {condition} ORDER BY {order} {lock}", parameters)


def by_ids(ids: Sequence[int]) -> dict[int, Instance]:
    """The existing instances among these; one statement, whatever their number."""
    if not ids:
        return {}
    condition, parameter = among("id", ids)
    return {each.pk: each for each in instances(condition, [parameter], order="id")}


def among(column: str, values: Collection[str] | Collection[int]) -> tuple[str, Any]:
    """An SQL condition that a column has one of these values, and its one parameter, whatever their number.

    One for each value could exceed the 32,766 that SQLite takes: a dependent may require any number of services.
    """
    if connection.vendor == "postgresql":
        return f"{column} = ANY(%s)", list(values)
    encoded = msgspec.json.encode(list(values)).decode()
    return f"{column} IN (SELECT value FROM json_each(%s))", encoded  # noqa: S608 -- a name of ours


def named(pairs: Sequence[tuple[str, str]], *, order: str, locked: bool = False) -> Iterator[Instance]:
    """The registered instances among these services and names; one statement, whatever their number."""
    if not pairs:
        return iter(())
    condition, parameters = among_pairs("(service, name)", pairs)
    return instances(condition, parameters, order=order, locked=locked)


def among_pairs(columns: str, pairs: Sequence[tuple[str, str]]) -> tuple[str, list[Any]]:
    """The same as `among`, for two columns."""
    if connection.vendor == "postgresql":
        return f"{columns} IN (SELECT * FROM unnest(%s::text[], %s::text[]))", list(map(list, zip(*pairs, strict=True)))  # noqa: S608 -- constants
    each = "json_extract(value, '$[0]'), json_extract(value, '$[1]')"
    return f"{columns} IN (SELECT {each} FROM json_each(%s))", [msgspec.json.encode(pairs).decode()]  # noqa: S608 -- constants


def named_or_of(names: Collection[tuple[str, str]]) -> tuple[str, list[Any]]:
    """An SQL condition that an instance is named, or is of a service that is named with an empty instance."""
    named = [(service, instance) for service, instance in names if instance]
    # An empty name matches nothing, and a relation of no pairs is no valid SQL.
    pairs, parameters = among_pairs("(service, name)", named or [("", "")])
    whole, services = among("service", sorted({service for service, instance in names if not instance}))
    return f"({pairs} OR {whole})", [*parameters, services]


def given_pairs(pairs: Sequence[tuple[str, str]]) -> tuple[str, list[Any]]:
    """A relation `given (first, second)` to join, and its parameters: for a column that is matched by an expression.

    SQLite finds no row by the index of an expression where `among_pairs` compares it.
    """
    if connection.vendor == "postgresql":
        return "unnest(%s::text[], %s::text[]) AS given (first, second)", list(map(list, zip(*pairs, strict=True)))
    each = "json_extract(value, '$[0]') AS first, json_extract(value, '$[1]') AS second"
    return f"(SELECT {each} FROM json_each(%s)) AS given", [msgspec.json.encode(pairs).decode()]  # noqa: S608 -- constants


def equal(**columns: str | None) -> tuple[str, list[str]]:
    """An SQL condition that each column equals its value, if one is given, and its parameters."""
    given = {name: value for name, value in columns.items() if value is not None}
    return " AND ".join(["1 = 1", *(f"{name} = %s" for name in given)]), list(given.values())


def instance(row: Sequence[Any]) -> Instance:
    """The instance of a row of `select`."""
    values = list(row)
    for position, convert in _CONVERTERS:
        values[position] = convert(values[position])
    # As Instance.from_db, without a setattr for each column, which would cost as much as the rest of the read.
    made = Instance.__new__(Instance)
    made.__dict__.update(zip(_NAMES, values, strict=True))
    made._state = ModelState()
    made._state.adding, made._state.db = False, DEFAULT_DB_ALIAS
    return made
