"""JSON bodies, decoded strictly: UTF-8 only, no NaN, no lone surrogates, no endless nesting."""

from typing import Any

import msgspec
from rest_framework.parsers import BaseParser

from config.problems import Problem


def decode(body: bytes) -> Any:
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Problem(f"The body is not JSON: {error}.") from error
    if b"\\u0000" in body and _holds_nul(value):
        raise Problem("The body holds the character U+0000, which cannot be stored: leave it out.")
    return value


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
