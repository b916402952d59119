"""Parses the query language into abstract syntax; errors say where and what."""

import re
from functools import lru_cache
from pathlib import Path

from lark import Lark, Token, Transformer, UnexpectedCharacters, UnexpectedInput, UnexpectedToken
from lark.exceptions import VisitError

from config.problems import Invalid
from logsvc import bounds, severity
from logsvc.query import ast
from logsvc.query.ast import Comparison, Field, Query

LENGTH = 2000
DEPTH = 20
TERMS = 64
FIELDS = ", ".join(["level", *(field.value for field in Field), "attr.NAME"])

_LARK = Lark(Path(__file__).with_name("grammar.lark").read_text(), parser="lalr", maybe_placeholders=False)
_EXPECTED = {
    "VALUE": "a value",
    "STRING": 'a text in "quotes"',
    "WORD": "a word",
    "FIELD": "a field",
    "RPAR": "')'",
    "LPAR": "'('",
    "$END": "the end",
}


class WrongQuery(Invalid):
    """An invalid query; `position` counts characters from 1."""

    def __init__(self, what: str, *, position: int, query: str) -> None:
        detail = f"The query is wrong at character {position}: {what}"
        near = query[max(position - 1, 0) : position + 19]
        super().__init__(detail, errors=[{"pointer": "/q", "detail": detail}], position=position, near=near)


@lru_cache(maxsize=512)
def parse(text: str) -> Query:
    """The query that `text` means; an empty text means every record. Raises WrongQuery."""
    if len(text) > LENGTH:
        raise WrongQuery(f"it has {len(text)} characters; use at most {LENGTH}.", position=LENGTH + 1, query=text)
    if "\0" in text:
        raise WrongQuery("the character U+0000 is in no record.", position=text.index("\0") + 1, query=text)
    # Before it is parsed, as what reads the parsed form is recursive.
    depth = negations = 0
    for place in re.finditer(r'"(?:[^"\\]|\\.)*"|[()]|(?<![^\s()])-+|\bNOT\b', text):
        depth += {"(": 1, ")": -1}.get(place[0], 0)
        negations += len(place[0]) if place[0][0] == "-" else place[0] == "NOT"
        if depth > DEPTH or negations > TERMS:
            raise WrongQuery("it is nested too deep.", position=place.start() + 1, query=text)
    try:
        query: Query = _Reader(text).transform(_LARK.parse(text))
    except VisitError as error:
        raise error.orig_exc from None
    except UnexpectedInput as error:
        raise _explain(error, text) from None
    terms = _count(query)
    if terms > TERMS:
        raise WrongQuery(f"it has {terms} terms; use at most {TERMS}.", position=1, query=text)
    return query


class _Reader(Transformer[Token, Query]):
    def __init__(self, text: str) -> None:
        super().__init__()
        self._text = text

    def start(self, parts: list[Query]) -> Query:
        return parts[0] if parts else ast.EVERYTHING

    def any_of(self, parts: list[Query]) -> Query:
        return parts[0] if len(parts) == 1 else ast.AnyOf(tuple(parts))

    def all_of(self, parts: list[Query]) -> Query:
        return parts[0] if len(parts) == 1 else ast.All(tuple(parts))

    def negation(self, parts: list[Query]) -> Query:
        return ast.Not(parts[0])

    def phrase(self, parts: list[Token]) -> Query:
        value, is_prefix = _value(parts[0])
        if not value.strip():
            raise self._wrong("the text in quotes is empty.", parts[0])
        return ast.Words(value, is_prefix)

    def word(self, parts: list[Token]) -> Query:
        value, is_prefix = _value(parts[0])
        return ast.Words(value, is_prefix) if value else ast.EVERYTHING

    def level(self, parts: list[Token]) -> Query:
        operator = parts[0][len("level") :].strip().replace(":", "=")
        number = severity.known(parts[1])
        if number is None:
            names = ", ".join(name.lower() for name in severity.NAMES)
            raise self._wrong(f"{str(parts[1])[:40]!r} is not a level; use one of {names}.", parts[1])
        return ast.LevelIs(Comparison(operator), number)

    def member(self, parts: list[Token]) -> Query:
        name = str(parts[0])[:-1]
        value, is_prefix = _value(parts[1])
        if name.startswith("attr."):
            attribute = _unquoted(name.removeprefix("attr."))
            if not attribute:
                raise self._wrong("'attr.' needs the name of an attribute, such as attr.order:7.", parts[0])
            if is_prefix and not value:
                return ast.HasAttribute(attribute)
            return ast.AttributeIs(attribute, value, is_prefix)
        try:
            field = Field(name.lower())
        except ValueError:
            raise self._wrong(
                f'there is no field {name[:40]!r}; use {FIELDS}, or put the text into "quotes" to find it as it is.',
                parts[0],
            ) from None
        if field in (Field.TRACE, Field.SPAN):
            value = value.lower()
        elif field is Field.UID:
            # Stored as a UUID, whatever the sender's text is.
            value = value.lower().replace("-", "") if is_prefix else bounds.uid(value)
        return ast.Equals(field, value, is_prefix)

    def _wrong(self, what: str, token: Token) -> WrongQuery:
        return WrongQuery(what, position=(token.start_pos or 0) + 1, query=self._text)


def _value(token: Token) -> tuple[str, bool]:
    """The value of a token, and whether it ends in `*`."""
    is_prefix = token.endswith("*")
    return _unquoted(token[:-1] if is_prefix else str(token)), is_prefix


def _unquoted(text: str) -> str:
    """Remove quotes and escapes: only `\\"` and `\\\\`, so that most paths can be written as they are."""
    if len(text) >= 2 and text[0] == text[-1] == '"':
        return re.sub(r'\\(["\\])', r"\1", text[1:-1])
    return text


def _count(query: Query) -> int:
    match query:
        case ast.All(parts) | ast.AnyOf(parts):
            return sum(map(_count, parts))
        case ast.Not(part):
            return _count(part)
    return 1


def _explain(error: UnexpectedInput, text: str) -> WrongQuery:
    position = error.pos_in_stream or 0
    match error:
        case UnexpectedCharacters() if text[position : position + 1] == '"':
            return WrongQuery("the quotes are not closed.", position=position + 1, query=text)
        case UnexpectedToken(token=Token(type="$END")):
            expected, place, found = _expected(error.accepts or error.expected), len(text), "the query ends"
        case UnexpectedToken(token=token):
            expected, place = _expected(error.accepts or error.expected), token.start_pos or 0
            found = f"{str(token)[:40]!r} cannot stand"
        case _:
            expected, place = "a word, a field, a text in quotes or '('", position
            found = f"{text[place : place + 1]!r} cannot stand"
    return WrongQuery(f"{found} here; expected {expected}.", position=place + 1, query=text)


def _expected(names: set[str]) -> str:
    if "WORD" in names:
        return "a word, a field, a text in quotes or '('"
    return " or ".join(sorted(_EXPECTED[name] for name in names if name in _EXPECTED)) or "something else"
