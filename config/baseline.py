"""A new SQLite database's tables in one step: what each migration in turn comes to, kept as a script.

The script is an ordinary part of the path: it records the migrations that it stands for, and later ones are applied to
it. `./manage.py <service> write_baseline` makes it anew; a test compares it with the migrations.
"""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import connection, transaction

_APPLIED = {"django_migrations": {"applied": "strftime('%Y-%m-%d %H:%M:%f','now')"}}


def path() -> Path:
    """The script of this service."""
    return Path(apps.get_app_config(settings.SERVICE.name).path) / "migrations" / "baseline.sql"


@transaction.atomic
def load() -> bool:
    """Make the tables, where this is SQLite and has none; returns whether it did."""
    if connection.vendor != "sqlite" or connection.introspection.table_names():
        return False
    with connection.cursor() as cursor:
        statement = ""
        for line in path().read_text().splitlines(keepends=True):
            statement += line
            if sqlite3.complete_statement(statement):
                cursor.execute(statement)
                statement = ""
    return True


def dump() -> str:
    """The script that makes this database as it is."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT name, type FROM pragma_table_list WHERE schema = 'main' AND name NOT LIKE 'sqlite_%'")
        kinds = dict(cursor.fetchall())
        cursor.execute("SELECT type, name, tbl_name, sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY name")
        # A virtual table creates its own tables.
        objects = [each for each in cursor.fetchall() if kinds.get(each[2], "shadow") != "shadow"]
        tables = [(name, sql) for kind, name, _, sql in objects if kind == "table"]
        lines = [sql for _, sql in tables]
        for name, _ in tables:
            if kinds[name] == "table":
                lines += _inserts(cursor, name)
        # Triggers last, as they would see the rows.
        for wanted in ("index", "view", "trigger"):
            lines += [sql for kind, _, _, sql in objects if kind == wanted]
    return "".join(f"{line};\n" for line in lines)


def _inserts(cursor: Any, table: str) -> Iterator[str]:
    cursor.execute(f'SELECT name FROM pragma_table_info("{table}")')  # noqa: S608 -- a name of our own tables
    columns = [name for (name,) in cursor.fetchall()]
    own = (_APPLIED | settings.OWN_TO_EACH_DATABASE).get(table, {})
    literals = {name: "'{}'".format(sql.replace("'", "''")) for name, sql in own.items()}
    quoted = " || ',' || ".join(literals.get(name, f'quote("{name}")') for name in columns)
    cursor.execute(f'SELECT {quoted} FROM "{table}" ORDER BY "{columns[0]}"')  # noqa: S608 -- names of our own tables
    names = ", ".join(f'"{name}"' for name in columns)
    for (values,) in cursor.fetchall():
        yield f'INSERT INTO "{table}" ({names}) VALUES ({values})'  # noqa: S608 -- written to a file; SQLite has quoted the values
