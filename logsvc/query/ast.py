"""The abstract syntax of a query, which every store understands and `matching.matches` defines.

The query language (parser.py) and LogQL are parsed into these. A query is a frozen value: it can be compared, hashed
and cached.
"""

from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias


class Field(Enum):
    """The members of a record that `Equals` can name."""

    SERVICE = "service"
    INSTANCE = "instance"
    HOST = "host"
    LOGGER = "logger"
    TRACE = "trace"
    SPAN = "span"
    TOKEN = "token"  # noqa: S105 -- the name of one that sent a record
    UID = "uid"


class Comparison(Enum):
    AT_LEAST = ">="
    ABOVE = ">"
    AT_MOST = "<="
    BELOW = "<"
    EQUAL = "="


@dataclass(frozen=True)
class Everything:
    """Matches every record; what an empty query means."""


@dataclass(frozen=True)
class All:
    """Matches where each part does."""

    parts: tuple["Query", ...]


@dataclass(frozen=True)
class AnyOf:
    """Matches where one part does; with no parts it matches nothing."""

    parts: tuple["Query", ...]


@dataclass(frozen=True)
class Not:
    part: "Query"


@dataclass(frozen=True)
class Words:
    """Whole words, one after the other, in the body or in the text of the exception, in any case.

    A word is a run of letters, digits and `_`. With `is_prefix` the last word may go on. Characters of `text` between
    and beside its words must stand in the record too, so that `C:\\tmp` does not find `c tmp`.
    """

    text: str
    is_prefix: bool = False


@dataclass(frozen=True)
class Contains:
    """A part of the body (LogQL's `|=`), or of body or exception with `ignore_case`; read record by record."""

    text: str
    ignore_case: bool = False


@dataclass(frozen=True)
class MatchesPattern:
    """A regular expression in RE2's syntax somewhere in the body (LogQL's `|~`), or matching a whole field."""

    pattern: str
    field: Field | None = None


@dataclass(frozen=True)
class Equals:
    """A member of the record, exactly; with `is_prefix` it begins so."""

    field: Field
    value: str
    is_prefix: bool = False


@dataclass(frozen=True)
class LevelIs:
    """Compares by the ranges of severities: `WARN` is 13 to 16, so that `EQUAL` means any of these."""

    comparison: Comparison
    severity: int


@dataclass(frozen=True)
class AttributeIs:
    """An attribute's value written as text, in any case; `a.b` is the member `b` of `a`, or one that is named `a.b`."""

    name: str
    value: str
    is_prefix: bool = False


@dataclass(frozen=True)
class HasAttribute:
    """An attribute of that name, whatever its value."""

    name: str


Query: TypeAlias = (
    Everything | All | AnyOf | Not | Words | Contains | MatchesPattern | Equals | LevelIs | AttributeIs | HasAttribute
)
EVERYTHING: Query = Everything()


def both(first: Query, second: Query) -> Query:
    """A query that matches where both do."""
    if isinstance(first, Everything):
        return second
    return first if isinstance(second, Everything) else All((first, second))
