"""Transactions that are run again when another one came between."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from django.db import IntegrityError, OperationalError, transaction

ATTEMPTS = 10
# PostgreSQL's codes: this one of two that waited for each other was ended; it would not have been serial.
_ENDED = ("40P01", "40001")

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


class Overtaken(Exception):
    """What this transaction was decided by holds no more: decide anew."""


def retried(function: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """Make it one transaction, run again when another process has changed what it goes by, or waited for it in turn."""

    @wraps(function)
    def run(*arguments: Parameters.args, **members: Parameters.kwargs) -> Result:
        for _ in range(ATTEMPTS - 1):
            try:
                with transaction.atomic():
                    return function(*arguments, **members)
            except (Overtaken, IntegrityError):
                continue
            except OperationalError as error:
                if getattr(error.__cause__, "sqlstate", None) not in _ENDED:
                    raise
        with transaction.atomic():
            return function(*arguments, **members)

    return run
