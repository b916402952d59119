"""Transactions that are run again when another one came between."""

import logging
import random
from collections.abc import Callable
from functools import wraps
from time import sleep
from typing import ParamSpec, TypeVar

from django.db import DatabaseError, IntegrityError, OperationalError, transaction

from registry.errors import Contended

ATTEMPTS = 10
# Before the second attempt at most so long, before each further one twice as long up to the longest: about half a
# second in all. By chance, so that those who have met once do not meet again.
FIRST_PAUSE_SECONDS = 0.005
LONGEST_PAUSE_SECONDS = 0.25
# PostgreSQL's codes: this one of two that waited for each other was ended; it would not have been serial.
_ENDED = ("40P01", "40001")

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")

logger = logging.getLogger(__name__)


class Overtaken(Exception):
    """What this transaction was decided by holds no more: decide anew."""


def retried(function: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """Make it one transaction, run again when another process has changed what it goes by, or waited for it in turn.

    Raises Contended when that has happened ten times in a row.
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
        # A fault of ours looks like this, too: a constraint that this breaks however often it is tried.
        logger.error("%s collided %d times in a row", function.__qualname__, ATTEMPTS, exc_info=collision)
        raise Contended from collision

    return run


def _is_collision(error: Exception) -> bool:
    if isinstance(error, OperationalError):
        return getattr(error.__cause__, "sqlstate", None) in _ENDED
    return isinstance(error, Overtaken | IntegrityError)
