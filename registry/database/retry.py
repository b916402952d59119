"""Transactions that are retried: after a conflict with another writer, or while the database is away."""

import logging
import random
import sqlite3
from collections.abc import Callable
from functools import wraps
from time import monotonic, sleep
from typing import ParamSpec, TypeVar

from django.db import (
    DatabaseError,
    IntegrityError,
    InterfaceError,
    OperationalError,
    close_old_connections,
    transaction,
)

from registry.errors import Contended

ATTEMPTS = 10
# The longest pause before the second attempt; it doubles before each further one, up to about half a second in all. The
# pauses are random, so that two that have met once do not meet again.
FIRST_PAUSE_SECONDS = 0.005
LONGEST_PAUSE_SECONDS = 0.25
# Between two attempts while the database is away.
AWAY_SECONDS = 0.5
# PostgreSQL's codes for a deadlock and a serialization failure.
_ENDED = ("40P01", "40001")
# Caused by another writer: the same key was inserted, or the row that a key points to was deleted. Any other violation
# of a constraint is our own fault and would recur.
_TAKEN = ("23505", "23503")
_TAKEN_IN_SQLITE = (
    sqlite3.SQLITE_CONSTRAINT_UNIQUE,
    sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY,
    sqlite3.SQLITE_CONSTRAINT_ROWID,
    sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY,
)

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")

logger = logging.getLogger(__name__)


class Overtaken(Exception):
    """The inputs changed during the transaction; retry."""


def retried(function: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """Run the function in a transaction, again after a conflict with another writer or a deadlock.

    Raises Contended after ten conflicts in a row.
    """

    @wraps(function)
    def run(*arguments: Parameters.args, **members: Parameters.kwargs) -> Result:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                with transaction.atomic():
                    return function(*arguments, **members)
            except (Overtaken, DatabaseError) as error:
                if not _is_collision(error):
                    raise
                collision = error
            if attempt < ATTEMPTS:
                sleep(random.uniform(0, min(FIRST_PAUSE_SECONDS * 2 ** (attempt - 1), LONGEST_PAUSE_SECONDS)))
        # A bug may look like this, too: one that inserts the same key twice.
        logger.error("%s collided %d times in a row", function.__qualname__, ATTEMPTS, exc_info=collision)
        raise Contended from collision

    return run


def outlast(function: Callable[[], Result], *, seconds: float, pause: Callable[[float], None] = sleep) -> Result:
    """Call it, and again while the database is away, locked, full or contended, for so long; then raise what it raised.

    For what would have to be done anew if it were not written. Not to be called in a transaction.
    """
    until = monotonic() + seconds
    while True:
        try:
            return function()
        except (OperationalError, InterfaceError, Contended) as error:
            if monotonic() >= until:
                raise
            logger.warning("The database is away, and is tried again: %s", error)
        pause(AWAY_SECONDS)
        close_old_connections()


def _is_collision(error: Exception) -> bool:
    state = getattr(error.__cause__, "sqlstate", None)
    if isinstance(error, OperationalError):
        return state in _ENDED
    if isinstance(error, IntegrityError):
        return state in _TAKEN or getattr(error.__cause__, "sqlite_errorcode", None) in _TAKEN_IN_SQLITE
    return isinstance(error, Overtaken)
