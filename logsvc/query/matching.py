"""Decides whether a record matches a query: every store must agree with it, and tails filter by it."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import msgspec
import re2

from logsvc import severity
from logsvc.query import ast
from logsvc.query.words import fold, words
from logsvc.record import Record, exception_text

Predicate = Callable[[Record], bool]

_FIELDS: dict[ast.Field, Callable[[Record], str]] = {
    ast.Field.SERVICE: lambda record: record.service,
    ast.Field.INSTANCE: lambda record: record.instance,
    ast.Field.HOST: lambda record: record.host,
    ast.Field.LOGGER: lambda record: record.logger,
    ast.Field.TRACE: lambda record: record.trace_id,
    ast.Field.SPAN: lambda record: record.span_id,
    ast.Field.TOKEN: lambda record: record.token,
    ast.Field.UID: lambda record: record.uid,
}


def matches(query: ast.Query, record: Record) -> bool:
    return predicate(query)(record)


def member(record: Record, field: ast.Field) -> str:
    return _FIELDS[field](record)


@lru_cache(maxsize=512)
def predicate(query: ast.Query) -> Predicate:
    """A function that says whether a record matches."""
    match query:
        case ast.Everything():
            return lambda record: True
        case ast.All(parts):
            every = [predicate(part) for part in parts]
            return lambda record: all(each(record) for each in every)
        case ast.AnyOf(parts):
            some = [predicate(part) for part in parts]
            return lambda record: any(each(record) for each in some)
        case ast.Not(part):
            inner = predicate(part)
            return lambda record: not inner(record)
        case ast.Words():
            return _words(query)
        case ast.Contains():
            if not query.ignore_case:
                return lambda record: query.text in record.body
            folded = fold(query.text)
            return lambda record: any(folded in text for text in searched_texts(record))
        case ast.MatchesPattern(pattern, None):
            compiled = re2.compile(pattern)
            return lambda record: compiled.search(record.body) is not None
        case ast.MatchesPattern(pattern, field):
            compiled, of_field = re2.compile(pattern), _FIELDS[field or ast.Field.SERVICE]
            return lambda record: compiled.fullmatch(of_field(record)) is not None
        case ast.Equals(field, value, is_prefix):
            of_field = _FIELDS[field]
            if is_prefix:
                return lambda record: of_field(record).startswith(value)
            return lambda record: of_field(record) == value
        case ast.LevelIs():
            low, high = level_bounds(query)
            return lambda record: low <= record.severity <= high
        case ast.AttributeIs():
            wanted = fold(query.value)
            is_same = str.startswith if query.is_prefix else str.__eq__
            return lambda record: any(
                is_same(fold(value_text(value)), wanted) for value in attribute_values(record.attributes, query.name)
            )
        case ast.HasAttribute(name):
            return lambda record: bool(attribute_values(record.attributes, name))


def attribute_values(attributes: dict[str, Any], name: str) -> list[Any]:
    """The values that `name` refers to: a member of that name, and members within others, level by level."""
    found = [attributes[name]] if name in attributes else []
    start = name.find(".")
    while start != -1:
        inner = attributes.get(name[:start])
        if isinstance(inner, dict):
            found += attribute_values(inner, name[start + 1 :])
        start = name.find(".", start + 1)
    return found


def field_values(record: Record, name: str) -> list[str]:
    """The values of a field, of `level` or of `attr.NAME`, as facets count them."""
    if name == "level":
        return [severity.range_of(record.severity).name]
    if name.startswith("attr."):
        return list(map(value_text, attribute_values(record.attributes, name.removeprefix("attr."))))
    value = member(record, ast.Field(name))
    return [value] if value else []


def value_text(value: Any) -> str:
    """A JSON value as it is compared: a text as it is, all else as JSON."""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def searched_texts(record: Record) -> tuple[str, str]:
    """The folded body and exception, in which words are searched."""
    exception = exception_text(record)
    return fold(record.body), fold(exception) if exception else ""


def _words(query: ast.Words) -> Predicate:
    folded = fold(query.text)
    wanted = words(folded)
    is_plain = folded == " ".join(wanted)
    count, is_prefix = len(wanted), query.is_prefix

    def has_words(text: str) -> bool:
        found = words(text)
        for start in range(len(found) - count + 1):
            window = found[start : start + count]
            if window == wanted or (is_prefix and window[:-1] == wanted[:-1] and window[-1].startswith(wanted[-1])):
                return True
        return False

    def matches_words(record: Record) -> bool:
        for text in searched_texts(record):
            if not is_plain and folded not in text:
                continue
            if text and (not wanted or has_words(text)):
                return True
        return False

    return matches_words


def level_bounds(query: ast.LevelIs) -> tuple[int, int]:
    """The lowest and the highest number that match; without a severity (0) a record is below all others."""
    lowest = severity.range_of(query.severity)
    highest = min(lowest + 3, severity.HIGHEST) if lowest else 0
    match query.comparison:
        case ast.Comparison.AT_LEAST:
            return int(lowest), severity.HIGHEST
        case ast.Comparison.ABOVE:
            return highest + 1, severity.HIGHEST
        case ast.Comparison.AT_MOST:
            return 0, highest
        case ast.Comparison.BELOW:
            return 0, int(lowest) - 1
        case ast.Comparison.EQUAL:
            return int(lowest), highest
