"""What msgspec found wrong in a request, said so that it can be mended, with the place as a JSON pointer."""

import re
from collections.abc import Iterable
from typing import Any

import msgspec
from msgspec import Struct, inspect

from config.problems import Invalid

NAME_PATTERN = r"^[a-z][a-z0-9-]{0,62}\Z"
NAME_RULE = "a name is a lower-case letter, then up to 62 lower-case letters, digits and '-'"
WAIT_PATTERN = r"^[0-9]{1,6}(\.[0-9]{1,3})?(ms|s|m)?\Z"

# For the patterns that a declaration holds, as msgspec shows them.
_RULES = {
    repr(NAME_PATTERN): f"This is no name: {NAME_RULE}.",
    repr(WAIT_PATTERN): "This is no time to wait: write it as 30s, 500ms or 1.5m.",
}
_PLACED = re.compile(r"(?P<said>.*?)(?: - at (?P<key>`key` in )?`\$(?P<path>[^`]*)`)?", re.DOTALL)
_MISSING = re.compile(r"Object missing required field `(?P<name>.+)`")


def invalid(error: msgspec.ValidationError, kind: type[Struct]) -> Invalid:
    """`kind` is what the request should have been."""
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
    """What the member that is reached by these names may be."""
    found: inspect.Type = inspect.type_info(kind)
    for name in names:
        members = found.fields if isinstance(found, inspect.StructType) else ()
        found = next((_given(each.type) for each in members if each.encode_name == name), found)
    return found.values if isinstance(found, inspect.LiteralType) else ()


def _given(kind: inspect.Type) -> inspect.Type:
    """Without the null of what may be left out."""
    kinds = kind.types if isinstance(kind, inspect.UnionType) else (kind,)
    return next(each for each in kinds if not isinstance(each, inspect.NoneType))
