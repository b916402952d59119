"""Turns msgspec's errors into problems that say what to change, each with a JSON pointer."""

import re
from collections.abc import Iterable
from typing import Any, TypeVar

import msgspec
from msgspec import Struct, inspect

from config import shapes
from config.problems import Invalid
from registry.wire.limits import (
    INSTANCE_PATTERN,
    INSTANCE_RULE,
    PLAIN_PATTERN,
    PROSE_PATTERN,
    SERVICE_PATTERN,
    SERVICE_RULE,
    WAIT_PATTERN,
)

_UNPRINTABLE = (
    "It holds a control character, a line break, a mark of direction or an invisible character: leave it out."
)
# For the patterns that a declaration holds, as msgspec shows them.
_RULES = {
    repr(SERVICE_PATTERN): f"This names no service: {SERVICE_RULE}.",
    repr(INSTANCE_PATTERN): f"This names no instance: {INSTANCE_RULE}.",
    repr(PLAIN_PATTERN): _UNPRINTABLE,
    repr(PROSE_PATTERN): _UNPRINTABLE,
    repr(WAIT_PATTERN): "This is no time to wait: write it as 30s, 500ms or 1.5m.",
}
_PLACED = re.compile(r"(?P<said>.*?)(?: - at (?P<key>`key` in )?`\$(?P<path>[^`]*)`)?", re.DOTALL)
_MISSING = re.compile(r"Object missing required field `(?P<name>.+)`")


Shape = TypeVar("Shape", bound=Struct)


def convert(members: Any, kind: type[Shape]) -> Shape:
    """Convert a decoded body to a struct. Raises Invalid, which names the first wrong member."""
    shapes.decoder(kind)
    try:
        return msgspec.convert(members, kind)
    except msgspec.ValidationError as error:
        raise invalid(error, kind) from error


def invalid(error: msgspec.ValidationError, kind: type[Struct]) -> Invalid:
    """The problem for a body that does not fit `kind`."""
    placed = _PLACED.fullmatch(str(error))
    said, path = (placed["said"], placed["path"] or "") if placed else (str(error), "")
    pointer = re.sub(r"\.|\[(\d+)\]", r"/\1", path.replace("[...]", ""))
    if missing := _MISSING.fullmatch(said):
        pointer, said = f"{pointer}/{missing['name']}", "It is required."
    elif said.startswith("Invalid enum value ") and (choices := _choices(kind, pointer.split("/")[1:])):
        said = f"{said.removeprefix('Invalid enum value ')} is none of {', '.join(map(str, choices))}."
    elif placed and placed["key"]:
        said = f"Of each name in it: {said}"
    for pattern, rule in _RULES.items():
        said = rule if said.endswith(f" matching regex {pattern}") else said
    return Invalid("See `errors` for each member.", errors=[{"pointer": pointer or "/", "detail": said}])


def _choices(kind: type[Struct], names: Iterable[str]) -> tuple[Any, ...]:
    """The values allowed for the member that these names lead to."""
    found: inspect.Type = inspect.type_info(kind)
    for name in names:
        members = found.fields if isinstance(found, inspect.StructType) else ()
        found = next((each.type for each in members if each.encode_name == name), found)
        if isinstance(found, inspect.UnionType):
            # Without the null of a member that may be left out.
            found = next(each for each in found.types if not isinstance(each, inspect.NoneType))
    return found.values if isinstance(found, inspect.LiteralType) else ()
