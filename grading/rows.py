"""Reading and writing many rows with one statement that is written, not compiled."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TypeVar

from django.db import connection, models

Row = TypeVar("Row", bound=models.Model)


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
