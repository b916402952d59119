"""A record on its way in, brought within the bounds of what is kept: shortened and marked, never refused for length."""

from datetime import datetime
from itertools import islice
from typing import Any
from uuid import NAMESPACE_OID, UUID, uuid4, uuid5

from msgspec import Struct

NAME_LENGTH = 100
LOGGER_LENGTH = 200
MESSAGE_LENGTH = 32_768
EXCEPTION_LENGTH = 65_536
ATTRIBUTE_LENGTH = 8_192
ATTRIBUTE_DEPTH = 8
ATTRIBUTE_MEMBERS = 500
MARK = "…"


class Entry(Struct, frozen=True, kw_only=True):
    """What a sender said of one event; `level` is a severity from 0 to 100."""

    time: datetime
    level: int
    service: str
    message: str
    uid: UUID
    instance: str = ""
    logger: str = ""
    exception: str = ""
    attributes: dict[str, Any] = {}


def text(value: str, *, at_most: int) -> str:
    """`value` without NUL, which PostgreSQL does not take; where it is cut, it ends in a mark."""
    if "\0" in value:
        value = value.replace("\0", "\N{REPLACEMENT CHARACTER}")
    if len(value) <= at_most:
        return value
    mark = f"{MARK} ({len(value)} characters)" if at_most >= ATTRIBUTE_LENGTH else MARK
    return value[: at_most - len(mark)] + mark


def attributes(members: dict[str, Any]) -> dict[str, Any]:
    """JSON members of which no text is too long, no list or object too large, and nothing nested too deep."""
    kept = {text(name, at_most=NAME_LENGTH): _bounded(value, 1) for name, value in _first(members).items()}
    if len(members) > ATTRIBUTE_MEMBERS:
        kept[MARK] = f"{len(members)} members"
    return kept


def uid(given: str | None) -> UUID:
    """The sender's own id of the record: as it is where it is a UUID, else one that the same text always gives."""
    if not given:
        return uuid4()
    try:
        return UUID(given)
    except ValueError:
        return uuid5(NAMESPACE_OID, given)


def _bounded(value: Any, depth: int) -> Any:
    match value:
        case str():
            return text(value, at_most=ATTRIBUTE_LENGTH)
        case dict() | list() if depth == ATTRIBUTE_DEPTH:
            return MARK
        case dict():
            return {text(name, at_most=NAME_LENGTH): _bounded(each, depth + 1) for name, each in _first(value).items()}
        case list():
            marks = [MARK] if len(value) > ATTRIBUTE_MEMBERS else []
            return [_bounded(each, depth + 1) for each in value[:ATTRIBUTE_MEMBERS]] + marks
    return value


def _first(members: dict[str, Any]) -> dict[str, Any]:
    return members if len(members) <= ATTRIBUTE_MEMBERS else dict(islice(members.items(), ATTRIBUTE_MEMBERS))
