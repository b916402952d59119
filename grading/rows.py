"""Writing many rows with one statement."""

from collections.abc import Sequence

from django.db import connection, models


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
