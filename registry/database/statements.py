"""Statements by SQL, of the paths that are asked most.

Preparing one of Django's cursors, and translating the statement for SQLite, takes several times as long as SQLite takes
to find a row (bench/README.md, Writes). Each cursor is closed at once: config/sqlite/base.py says why.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from functools import lru_cache
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.sqlite3.base import FORMAT_QMARK_REGEX

from config.sqlite.base import DatabaseWrapper

ROWS_AT_ONCE = 500

Row = tuple[Any, ...]


def fetch(statement: str, parameters: Sequence[Any] = ()) -> list[Row]:
    """Execute a statement, in which each parameter is a `%s`, and return its rows, if it has any.

    Raises the errors of django.db.
    """
    own = connections[DEFAULT_DB_ALIAS]
    if (driver := _driver(own)) is not None:
        with own.wrap_database_errors, closing(driver.cursor()) as direct:
            return direct.execute(_in_sqlite(statement), parameters).fetchall()
    with own.cursor() as cursor:
        cursor.execute(statement, parameters)
        return cursor.fetchall() if cursor.description else []


def fetch_prepared(statement: str, parameters: Sequence[Any] = ()) -> list[Row]:
    """Fetch by a statement that PostgreSQL keeps prepared, where Django sends each anew with its values in it.

    What psycopg knows no type for comes as bytes. Raises the errors of django.db.
    """
    own = connections[DEFAULT_DB_ALIAS]
    if own.vendor != "postgresql":
        return fetch(statement, parameters)
    import psycopg

    own.ensure_connection()
    with own.wrap_database_errors, psycopg.Cursor(own.connection) as cursor:
        return cursor.execute(statement, parameters, prepare=True, binary=True).fetchall()


def stream(statement: str, parameters: Sequence[Any] = ()) -> Iterator[Row]:
    """Execute a statement and yield its rows as they are asked for, of which there may be many."""
    own = connections[DEFAULT_DB_ALIAS]
    if (driver := _driver(own)) is not None:
        with own.wrap_database_errors, closing(driver.cursor()) as direct:
            direct.execute(_in_sqlite(statement), parameters)
            while rows := direct.fetchmany(ROWS_AT_ONCE):
                yield from rows
    else:
        with own.cursor() as cursor:
            cursor.execute(statement, parameters)
            while rows := cursor.fetchmany(ROWS_AT_ONCE):
                yield from rows


def execute_many(statement: str, rows: Sequence[Sequence[Any]]) -> None:
    """Execute a statement once for each of the rows of parameters."""
    own = connections[DEFAULT_DB_ALIAS]
    if (driver := _driver(own)) is not None:
        with own.wrap_database_errors, closing(driver.cursor()) as direct:
            direct.executemany(_in_sqlite(statement), rows)
    else:
        with own.cursor() as cursor:
            cursor.executemany(statement, rows)


def _driver(own: BaseDatabaseWrapper) -> sqlite3.Connection | None:
    """SQLite's driver, to be asked directly; None where somebody counts or logs statements, and on PostgreSQL."""
    if isinstance(own, DatabaseWrapper) and not own.execute_wrappers and not own.queries_logged:
        return own.checked()
    return None


@lru_cache(maxsize=512)
def _in_sqlite(statement: str) -> str:
    return FORMAT_QMARK_REGEX.sub("?", statement).replace("%%", "%")
