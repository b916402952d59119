"""Emptying the tables after a test with transactions, without making again what only a migration makes."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.contrib.auth.management import create_permissions
from django.contrib.contenttypes.management import create_contenttypes
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
