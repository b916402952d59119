"""Reading and writing many rows with one statement that is written, not compiled."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import cache
from typing import Any, TypeVar

from django.db import connection, models

Row = TypeVar("Row", bound=models.Model)
# Rows that one statement inserts: their values are fewer than either database takes.
_ROWS_INSERTED = 200


def select(
    model: type[Row], values: Mapping[str, Collection[int | str]], *, order_by: str = "id", locks: bool = False
) -> Iterable[Row]:
    """Rows whose columns each have one of these values, as `filter` finds them in twice the time.

    `locks` holds them until commit, as `select_for_update` does.
    """
    if not all(values.values()):
        return ()
    quote = connection.ops.quote_name
    conditions = " AND ".join(f"{quote(name)} IN ({', '.join(['%s'] * len(found))})" for name, found in values.items())
    statement = f"SELECT * FROM {quote(model._meta.db_table)} WHERE {conditions} ORDER BY {order_by}"  # noqa: S608 -- names of columns, which our code writes
    if locks and connection.features.has_select_for_update:
        statement += " FOR UPDATE"
    return model._default_manager.raw(statement, [each for found in values.values() for each in found])


def update(instances: Sequence[models.Model], fields: Sequence[str]) -> None:
    """Store these fields of rows that are there; `bulk_update` takes twenty times as long."""
    if not instances:
        return
    meta = instances[0]._meta
    columns = [field for field in meta.concrete_fields if field.name in set(fields)]
    quote = connection.ops.quote_name
    assignments = ", ".join(f"{quote(str(column.column))} = %s" for column in columns)
    statement = f"UPDATE {quote(meta.db_table)} SET {assignments} WHERE id = %s"  # noqa: S608 -- names of columns, not of callers
    values = [
        (*(column.get_db_prep_save(getattr(each, column.attname), connection) for column in columns), each.pk)
        for each in instances
    ]
    with connection.cursor() as cursor:
        cursor.executemany(statement, values)


def insert(instances: Sequence[models.Model]) -> None:
    """Store rows of one model that are new, and give them their ids; `bulk_create` takes four times as long.

    Raises django.db.IntegrityError as it does.
    """
    if not instances:
        return
    meta = instances[0]._meta
    quote = connection.ops.quote_name
    fields = [field for field in meta.concrete_fields if not field.primary_key]
    names = ", ".join(quote(str(field.column)) for field in fields)
    into = f"{quote(meta.db_table)} ({names})"
    placeholders = f"({', '.join(['%s'] * len(fields))})"
    columns = [(field.attname, _converter(field)) for field in fields]
    with connection.cursor() as cursor:
        for start in range(0, len(instances), _ROWS_INSERTED):
            inserted = instances[start : start + _ROWS_INSERTED]
            values = [
                getattr(each, name) if convert is None else convert(getattr(each, name))
                for each in inserted
                for name, convert in columns
            ]
            rows = ", ".join([placeholders] * len(inserted))
            cursor.execute(f"INSERT INTO {into} VALUES {rows} RETURNING id", values)  # noqa: S608 -- names of columns, not of callers
            for each, (number,) in zip(inserted, cursor.fetchall(), strict=True):
                each.pk, each._state.adding = number, False


def _converter(field: "models.Field[Any, Any]") -> Callable[[Any], Any] | None:
    """The stored form of a value of this field, None where it is stored as it is. Most rows of a group share theirs."""
    if not isinstance(field, models.DecimalField | models.DateField):
        return None
    return cache(lambda value: field.get_db_prep_save(value, connection))
