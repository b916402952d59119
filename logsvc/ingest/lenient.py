"""Decodes JSON that the quick decoder refuses for one value: a number out of range, a lone surrogate, a wrong byte."""

import json
import re
from typing import Any, TypeVar

import msgspec

from logsvc.bounds import REPLACEMENT, Notes

T = TypeVar("T")
REPAIRED = REPLACEMENT.encode()
_SURROGATE = re.compile("[\ud800-\udfff]")


class _Number(str):
    """The digits of a number that no JSON library keeps exactly."""


def decode(line: bytes, notes: Notes) -> Any:
    """The value of `line`, with a text in place of each number out of range. Raises ValueError, RecursionError."""
    text = line.decode("utf-8", "replace")
    if REPLACEMENT in text and REPLACEMENT.encode() not in line:
        notes.add("bytes that are no UTF-8 were replaced by U+FFFD.")

    def integer(digits: str) -> int | _Number:
        return int(digits) if len(digits) < 40 else _Number(digits)

    def real(digits: str) -> float | _Number:
        number = float(digits)
        return number if number - number == 0 else _Number(digits)

    def refuse(name: str) -> Any:
        raise ValueError(f"{name} is no JSON")

    value = json.loads(text, parse_int=integer, parse_float=real, parse_constant=refuse)
    return _plain(value, "", notes)


def read(decoder: msgspec.json.Decoder[T], text: bytes, notes: Notes) -> T:
    """Decode as `decoder` does, and what it refuses as `decode` does. Raises ValueError, RecursionError."""
    try:
        return decoder.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError) as refused:
        try:
            return msgspec.convert(decode(text, notes), decoder.type)
        except ValueError as error:
            # The first error says where, of what is wrong for both.
            raise error if isinstance(error, msgspec.ValidationError) else refused from None


def read_repaired(decoder: msgspec.json.Decoder[T], body: bytes) -> T:
    """Decode as `decoder` does; a body that is no JSON to it is repaired first. Raises ValueError, RecursionError.

    A repaired body is the same JSON with U+FFFD in place of each half of a surrogate pair and each wrong byte, and with
    text in place of each number out of range.
    """
    try:
        return decoder.decode(body)
    except msgspec.ValidationError:
        raise
    except (msgspec.DecodeError, UnicodeDecodeError) as refused:
        try:
            value = json.dumps(decode(body, Notes()), ensure_ascii=False)
            return decoder.decode(_SURROGATE.sub(REPLACEMENT, value).encode())
        except ValueError:
            raise refused from None


def _plain(value: Any, path: str, notes: Notes) -> Any:
    match value:
        case _Number():
            notes.add(f"{path.removeprefix('attributes.')}: a number out of range was kept as text.")
            return str(value)
        case dict():
            return {name: _plain(each, f"{path}.{name}" if path else name, notes) for name, each in value.items()}
        case list():
            return [_plain(each, path, notes) for each in value]
    return value
