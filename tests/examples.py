"""The number of examples for each property."""

from django.db import connection


def examples(count: int) -> int:
    """`count`; a quarter on PostgreSQL, as all are run on SQLite and a statement that fails there fails soon."""
    return count // 4 if connection.vendor == "postgresql" else count
