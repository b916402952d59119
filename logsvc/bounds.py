"""Limits on the members of a record: what exceeds them is cut, and the record's notes say so."""

import re
from itertools import islice
from typing import Any
from uuid import NAMESPACE_OID, UUID, uuid5

import msgspec

from logsvc.record import Record

NAME_LENGTH = 100
LOGGER_LENGTH = 200
BODY_LENGTH = 32_768
STACKTRACE_LENGTH = 65_536
ATTRIBUTE_LENGTH = 8_192
ATTRIBUTE_DEPTH = 8
ATTRIBUTE_MEMBERS = 500
ATTRIBUTES_BYTES = 131_072
NOTES_AT_MOST = 20
MARK = "…"
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
LONG_ATTRIBUTES = {"exception.stacktrace": STACKTRACE_LENGTH, "exception.message": BODY_LENGTH}
_HEX_UUID = re.compile("[0-9a-f]{32}")
_LOWEST_INTEGER, _HIGHEST_INTEGER = -(2**63), 2**63 - 1


class Notes(list[str]):
    """A record's changes, one sentence each; only the first few are kept."""

    def add(self, sentence: str) -> None:
        if len(self) < NOTES_AT_MOST:
            self.append(sentence)
        elif len(self) == NOTES_AT_MOST:
            self.append("and more")


def text(value: str, name: str, notes: Notes, *, at_most: int) -> str:
    """`value` without NUL, which PostgreSQL does not take, and without half a surrogate pair; where it is cut, it ends
    in a mark.
    """
    if len(value) <= at_most and value.isascii() and "\0" not in value:
        return value
    if "\0" in value:
        value = value.replace("\0", REPLACEMENT)
        notes.add(f"{name}: U+0000 was replaced by U+FFFD.")
    if not value.isascii() and any("\ud800" <= character <= "\udfff" for character in value):
        value = "".join(REPLACEMENT if "\ud800" <= each <= "\udfff" else each for each in value)
        notes.add(f"{name}: a lone surrogate was replaced by U+FFFD.")
    if len(value) <= at_most:
        return value
    notes.add(f"{name}: cut from {len(value)} characters to {at_most}.")
    mark = f"{MARK} ({len(value)} characters)" if at_most >= ATTRIBUTE_LENGTH else MARK
    return value[: at_most - len(mark)] + mark


def names(record: Record, notes: Notes) -> None:
    """Cut a record's names to their limits; one look at all of them together passes most records."""
    joined = record.service + record.instance + record.host + record.logger + record.severity_text
    if len(joined) <= NAME_LENGTH and joined.isascii() and "\0" not in joined:
        return
    record.service = text(record.service, "service", notes, at_most=NAME_LENGTH)
    record.instance = text(record.instance, "instance", notes, at_most=NAME_LENGTH)
    record.host = text(record.host, "host", notes, at_most=NAME_LENGTH)
    record.logger = text(record.logger, "logger", notes, at_most=LOGGER_LENGTH)
    record.severity_text = text(record.severity_text, "severity_text", notes, at_most=NAME_LENGTH)


def attributes(members: dict[str, Any], notes: Notes, *, given_bytes: int) -> dict[str, Any]:
    """Cut texts that are too long, lists and objects that are too large, and levels that are too deep.

    `given_bytes` is an upper bound of their size as JSON; most are known by it to fit.
    """
    kept = _members(members, "", notes, 1)
    if given_bytes <= ATTRIBUTES_BYTES:
        return kept
    count = len(kept)
    sizes = {name: len(msgspec.json.encode(value)) + len(name) for name, value in kept.items()}
    total = sum(sizes.values())
    for name in sorted(sizes, key=sizes.__getitem__, reverse=True):
        if total <= ATTRIBUTES_BYTES:
            break
        del kept[name]
        total -= sizes[name]
    if len(kept) < count:
        notes.add(f"attributes: {count - len(kept)} of {count} were left out, the largest, for their size.")
    return kept


def size(members: dict[str, Any]) -> int:
    """Roughly the characters of attributes as JSON; also of numbers that no JSON holds."""
    return len(repr(members)) if members else 0


def uid(given: str | None) -> str:
    """The sender's id of the record: as it is when it is a UUID, else the UUID that its text always gives."""
    if not given:
        return ""
    if _HEX_UUID.fullmatch(given):
        return given
    try:
        return UUID(given).hex
    except ValueError:
        return uuid5(NAMESPACE_OID, given.encode("utf-8", "replace").decode()).hex


def hex_id(given: str, digits: int) -> str:
    """A trace's or span's id in lower case, or "" for one that is not valid: all zeros, another length."""
    try:
        value = bytes.fromhex(given) if len(given) == digits else b""
    except ValueError:
        return ""
    # Blanks between the digits are read over.
    return given.lower() if len(value) * 2 == digits and any(value) else ""


def _members(members: dict[str, Any], path: str, notes: Notes, depth: int) -> dict[str, Any]:
    if len(members) > ATTRIBUTE_MEMBERS:
        notes.add(f"attributes{path and f' {path}'}: {ATTRIBUTE_MEMBERS} of {len(members)} members were kept.")
        members = dict(islice(members.items(), ATTRIBUTE_MEMBERS))
    kept: dict[str, Any] = {}
    for name, value in members.items():
        if not name.isascii() or len(name) > NAME_LENGTH or "\0" in name:
            name = text(name, "the name of an attribute", notes, at_most=NAME_LENGTH)
        kind = type(value)
        if (
            (kind is str and len(value) < 2000 and value.isascii() and "\0" not in value)
            or kind is bool
            or value is None
            or (kind is int and _LOWEST_INTEGER <= value <= _HIGHEST_INTEGER)
        ):
            kept[name] = value
        else:
            kept[name] = _value(value, f"{path}.{name}" if path else name, notes, depth)
    return kept


def _value(value: Any, path: str, notes: Notes, depth: int) -> Any:
    match value:
        case str():
            return text(value, path, notes, at_most=LONG_ATTRIBUTES.get(path, ATTRIBUTE_LENGTH))
        case bool() | None:
            return value
        case int():
            if _LOWEST_INTEGER <= value <= _HIGHEST_INTEGER:
                return value
            notes.add(f"{path}: a number out of range was kept as text.")
            return str(value) if value.bit_length() < 10_000 else hex(value)
        case float():
            if value - value == 0:
                return value
            notes.add(f"{path}: {value} is no JSON number and was kept as text.")
            return str(value)
        case dict() | list() if depth == ATTRIBUTE_DEPTH:
            notes.add(f"{path}: what was nested deeper than {ATTRIBUTE_DEPTH} levels was left out.")
            return MARK
        case dict():
            return _members(value, path, notes, depth + 1)
        case list():
            if len(value) > ATTRIBUTE_MEMBERS:
                notes.add(f"{path}: {ATTRIBUTE_MEMBERS} of {len(value)} items were kept.")
            return [_value(each, path, notes, depth + 1) for each in value[:ATTRIBUTE_MEMBERS]]
    return text(str(value), path, notes, at_most=ATTRIBUTE_LENGTH)
