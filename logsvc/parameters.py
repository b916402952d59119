"""Reads query parameters one by one, and reports all errors at once."""

from collections.abc import Callable, Mapping
from typing import TypeVar

from config.problems import Invalid

T = TypeVar("T")
TEXT_LENGTH = 500
HIGHEST_ID = 2**63 - 1


class Parameters:
    """Reads parameters and gathers their errors; `check` raises them together."""

    def __init__(self, query: Mapping[str, str]) -> None:
        self._query = query
        self._known: list[str] = []
        self._errors: list[dict[str, str]] = []

    def get(self, name: str, read: Callable[[str], T], default: T) -> T:
        """Read a parameter; `default` when it is missing, empty or, until `check`, invalid."""
        self._known.append(name)
        value = self._query.get(name, "")
        if not value:
            return default
        try:
            if "\0" in value:
                raise ValueError("the character U+0000 is in no value")
            return read(value)
        except Invalid as error:
            self._errors += [{**each, "pointer": f"/{name}"} for each in error.errors or []]
        except ValueError as error:
            self.refuse(name, str(error))
        return default

    def refuse(self, name: str, detail: str) -> None:
        """Have `check` report what no parameter shows by itself."""
        self._errors.append({"pointer": f"/{name}", "detail": f"{detail}."})

    def check(self) -> None:
        """Raises Invalid for all errors, and for unknown parameters: a misspelt filter would find everything."""
        detail = f"There is no such parameter: use {', '.join(self._known)}."
        self._errors += [
            {"pointer": f"/{name[:100]}", "detail": detail} for name in self._query if name not in self._known
        ]
        if self._errors:
            raise Invalid("See `errors` for each query parameter.", errors=self._errors[:100])


def text(value: str) -> str:
    if len(value) > TEXT_LENGTH:
        raise ValueError(f"{len(value)} characters are too many: use at most {TEXT_LENGTH}")
    return value


def name(value: str) -> str:
    """A service's, an instance's or another name, as records have it."""
    return text(value)


def between(lowest: int, highest: int) -> Callable[[str], int]:
    def read(value: str) -> int:
        if value.isascii() and value.isdecimal() and len(value) <= len(str(highest)):
            number = int(value)
            if lowest <= number <= highest:
                return number
        raise ValueError(f"{value[:40]!r} is not a whole number from {lowest} to {highest}")

    return read
