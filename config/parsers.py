"""JSON bodies, decoded strictly: UTF-8 only, no NaN, no lone surrogates, no endless nesting, no key twice."""

import json
import re
from collections.abc import Iterable
from typing import Any

import msgspec
from rest_framework.parsers import BaseParser

from config.problems import Problem

# What JSON is decoded to that holds more of it.
_CONTAINERS = frozenset({dict, list})
# The end of a key; also of a value that holds a quotation mark and a colon.
_KEY_END = re.compile(rb'"\s*:')


def decode(body: bytes) -> Any:
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Problem(f"The body is not JSON: {error}.") from error
    check_keys(body, value)
    if b"\\u0000" in body and _holds_nul(value):
        raise Problem("The body holds the character U+0000, which cannot be stored: leave it out.")
    return value


def check_keys(body: bytes, value: Any) -> None:
    """Refuse an object with a duplicate key: JSON parsers do not agree on which of the two counts.

    `value` was decoded from `body`. When both have as many keys, none was lost, and the exact search, which takes ten
    times as long as decoding, is not needed.
    """
    if _count_keys(value) == len(_KEY_END.findall(body)):
        return
    try:
        json.loads(body, object_pairs_hook=_refuse_doubled, parse_int=str, parse_float=str)
    except RecursionError as error:
        raise Problem("The body is nested too deeply: nest it less.") from error


class JSONParser(BaseParser):
    media_type = "application/json"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        return decode(stream.read())


def _holds_nul(value: Any) -> bool:
    match value:
        case str():
            return "\0" in value
        case list():
            return any(map(_holds_nul, value))
        case dict():
            return any(_holds_nul(name) or _holds_nul(member) for name, member in value.items())
    return False


def _count_keys(value: Any) -> int:
    """Count keys with a stack of its own: deep nesting could exhaust Python's."""
    count, pending = 0, [value] if type(value) in _CONTAINERS else []
    while pending:
        outer = pending.pop()
        if type(outer) is dict:
            count += len(outer)
            pending += [each for each in outer.values() if type(each) in _CONTAINERS]
        else:
            pending += [each for each in outer if type(each) in _CONTAINERS]
    return count


def _refuse_doubled(pairs: Iterable[tuple[str, Any]]) -> None:
    seen: set[str] = set()
    for key, _ in pairs:
        if key in seen:
            raise Problem(f"The body gives {key[:100]!r} twice in one object: give it once.")
        seen.add(key)
