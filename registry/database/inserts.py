"""Inserting rows without the ORM, of which most of the time goes into preparing values that need no preparing.

`bulk_create` costs ten times as much (bench/README.md, Registrations).
"""

from collections.abc import Callable, Iterable, Sequence
from functools import cache, lru_cache
from typing import Any, NamedTuple

import msgspec
from django.db import connection, models

from config.encryption import EncryptedTextField
from registry.database import statements

Model = type[models.Model]


class _Plan(NamedTuple):
    """A plan for inserting rows of which some columns are given; the others get their defaults."""

    into: str
    insert: str
    converters: tuple[tuple[int, Callable[[Any], Any]], ...]
    defaults: tuple[Any, ...]


def insert(model: Model, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Insert rows, given as the named columns. Raises django.db.IntegrityError as the ORM does."""
    plan = _plan(model, tuple(columns), connection.vendor)
    whole = []
    for row in rows:
        values = [*row, *plan.defaults]
        for position, convert in plan.converters:
            values[position] = convert(values[position])
        whole.append(values)
    if not whole:
        return
    if connection.vendor == "postgresql":
        copying = f"COPY {plan.into} FROM STDIN"
        with connection.cursor() as cursor, connection.wrap_database_errors, cursor.copy(copying) as copy:
            for row in whole:
                copy.write_row(row)
    else:
        statements.execute_many(plan.insert, whole)


def new_ids(model: Model, count: int) -> Sequence[int]:
    """Reserve ids for rows that are about to be inserted. Call it inside a transaction."""
    table = model._meta.db_table
    if connection.vendor == "postgresql":
        reserve = "SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)"
        return [number for (number,) in statements.fetch(reserve, [table, count])]
    # The transaction began immediate: nobody else inserts before it ends.
    last = statements.fetch("SELECT seq FROM sqlite_sequence WHERE name = %s", [table])
    first = (last[0][0] if last else 0) + 1
    return range(first, first + count)


@cache
def _plan(model: Model, columns: tuple[str, ...], vendor: str) -> _Plan:
    fields = {field.attname: field for field in model._meta.concrete_fields if not isinstance(field, models.AutoField)}
    given = [model._meta.pk if name == "id" else fields[name] for name in columns]
    others = [field for name, field in fields.items() if name not in columns]
    names = ", ".join(f'"{field.column}"' for field in (*given, *others) if field is not None)
    into = f"{model._meta.db_table} ({names})"
    return _Plan(
        into=into,
        insert=f"INSERT INTO {into} VALUES ({', '.join(['%s'] * (len(given) + len(others)))})",  # noqa: S608 -- names of ours
        converters=tuple(
            (position, convert)
            for position, field in enumerate((*given, *others))
            if (convert := _converter(field, vendor)) is not None
        ),
        defaults=tuple(field.get_default() for field in others),
    )


def _converter(field: Any, vendor: str) -> Callable[[Any], Any] | None:
    if isinstance(field, models.JSONField):
        return lambda value: msgspec.json.encode(value).decode()
    if isinstance(field, EncryptedTextField):
        return field.get_prep_value
    if isinstance(field, models.DateTimeField) and vendor == "sqlite":
        # Most rows of a group share their times.
        return lru_cache(maxsize=64)(connection.ops.adapt_datetimefield_value)
    return None
