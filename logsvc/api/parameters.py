"""Query parameters, checked: every one that is wrong is named."""

from collections.abc import Callable
from typing import Any, TypeVar

from django.http import QueryDict

from config.problems import Invalid
from logsvc import levels, timestamps
from logsvc.query import HIGHEST_LIMIT, Question

T = TypeVar("T")
TEXT_LENGTH = 500
HIGHEST_ID = 2**63 - 1


class Parameters:
    """Reads parameters one by one, remembers what is wrong with them, and says all of it at once."""

    def __init__(self, query: QueryDict) -> None:
        self._query = query
        self._known: list[str] = []
        self._errors: list[dict[str, str]] = []

    def get(self, name: str, read: Callable[[str], T], default: T) -> T:
        """`default` where the parameter is missing, empty or, until `check`, wrong."""
        self._known.append(name)
        value = self._query.get(name, "").replace("\0", "")
        if not value:
            return default
        try:
            return read(value)
        except ValueError as error:
            self._errors.append({"pointer": f"/{name}", "detail": f"{error}."})
            return default

    def check(self) -> None:
        """Raises Invalid; also of one that was never read, since a filter misspelt would find everything."""
        detail = f"There is no such parameter: use {', '.join(self._known)}."
        self._errors += [{"pointer": f"/{name}", "detail": detail} for name in self._query if name not in self._known]
        if self._errors:
            raise Invalid("See `errors` for each query parameter.", errors=self._errors)


def question(query: QueryDict) -> Question:
    parameters = Parameters(query)
    members: dict[str, Any] = {
        "service": parameters.get("service", text, ""),
        "level": parameters.get("level", levels.severity, None),
        "text": parameters.get("q", text, ""),
        "since": parameters.get("since", timestamps.moment, None),
        "until": parameters.get("until", timestamps.moment, None),
        "before": parameters.get("before", between(1, HIGHEST_ID), None),
        "limit": parameters.get("limit", between(1, HIGHEST_LIMIT), Question.limit),
    }
    parameters.check()
    return Question(**members)


def text(value: str) -> str:
    if len(value) > TEXT_LENGTH:
        raise ValueError(f"{len(value)} characters are too many: use at most {TEXT_LENGTH}")
    return value


def between(lowest: int, highest: int) -> Callable[[str], int]:
    def read(value: str) -> int:
        if value.isascii() and value.isdecimal() and len(value) <= len(str(highest)):
            number = int(value)
            if lowest <= number <= highest:
                return number
        raise ValueError(f"{value[:40]!r} is not a whole number from {lowest} to {highest}")

    return read
