"""Makes the tables of a test database by the services' scripts, which tests/config/test_baseline.py compares with all
migrations: to apply those takes each part of the suite as long as many of its tests.
"""

import re
import sqlite3

from django.apps import apps
from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from config import env
from config.services import SERVICES

_TABLE = re.compile(r'CREATE (?:VIRTUAL )?TABLE "?(\w+)"?')
_ON = re.compile(r'CREATE .* ON "?(\w+)"?')
_INTO = re.compile(r'INSERT INTO "?(\w+)"?')
# A migration applied: the services' scripts number theirs alike.
_NUMBERED = re.compile(r'(INSERT INTO "django_migrations" \(.*?\) VALUES \()\d+')
# Made by what Django sends after migrations, also after none.
_AFTERWARDS = ("auth_", "django_content_type")


def make() -> None:
    """Make the test database, a file, with the tables of all services that are installed."""
    own = connection.settings_dict["NAME"]
    connection.close()
    connection.settings_dict["NAME"] = connection.settings_dict["TEST"]["NAME"]
    made: set[str] = set()
    with transaction.atomic(), connection.cursor() as cursor:
        for service in SERVICES:
            if apps.is_installed(service):
                script = (env.BASE_DIR / service / "migrations" / "baseline.sql").read_text()
                made |= _run(cursor, script, made)
    connection.close()
    connection.settings_dict["NAME"] = own


def _run(cursor: CursorWrapper, script: str, made: set[str]) -> set[str]:
    """Run what makes tables that are not made yet; returns which."""
    new: set[str] = set()
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if not sqlite3.complete_statement(statement):
            continue
        if table := _TABLE.match(statement):
            if table[1] not in made:
                new.add(table[1])
                cursor.execute(statement)
        elif into := _INTO.match(statement):
            if into[1] == "django_migrations":
                cursor.execute(_NUMBERED.sub(r"\1NULL", statement))
            elif into[1] not in made and not into[1].startswith(_AFTERWARDS):
                cursor.execute(statement)
        elif (on := _ON.match(statement)) is None or on[1] not in made:
            cursor.execute(statement)
        statement = ""
    return new
