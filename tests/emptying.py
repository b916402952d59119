"""Emptying the tables after a test with transactions, without making again what only a migration makes."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from unittest.mock import patch

from django.contrib.auth.management import create_permissions
from django.contrib.contenttypes.management import create_contenttypes
from django.core.management.color import Style
from django.db.backends.postgresql.operations import DatabaseOperations
from django.db.models.signals import post_migrate

RIGHTS = "django.contrib.auth.management.create_permissions"


@contextmanager
def without_rights() -> Iterator[None]:
    """Keep Django from making all content types and permissions anew each time, which takes longer than the emptying.

    Tests with transactions come after all others, and a test that needs a role makes it.
    """
    post_migrate.disconnect(create_contenttypes)
    post_migrate.disconnect(dispatch_uid=RIGHTS)
    yield
    post_migrate.connect(create_contenttypes)
    post_migrate.connect(create_permissions, dispatch_uid=RIGHTS)


@contextmanager
def row_by_row() -> Iterator[None]:
    """Have PostgreSQL delete the few rows that a test leaves: to truncate, it makes each table's files anew."""

    def deletions(
        operations: DatabaseOperations,
        style: Style,
        tables: Sequence[str],
        *,
        reset_sequences: bool = False,
        allow_cascade: bool = False,
    ) -> list[str]:
        assert not reset_sequences
        return ["; ".join(f"DELETE FROM {operations.quote_name(table)}" for table in tables)]  # noqa: S608 -- our own tables

    with patch.object(DatabaseOperations, "sql_flush", deletions):
        yield
