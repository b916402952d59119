"""Parses LogQL, as far as Grafana's Explore sends it, into a frozen query; errors say where and what."""

import ast as python
import operator
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeAlias

import re2
from lark import Lark, Token, Transformer, UnexpectedCharacters, UnexpectedInput, UnexpectedToken
from lark.exceptions import VisitError

from config.problems import Problem

LENGTH = 5000
DEPTH = 30
OPERATIONS = 60
SECOND_NS = 1_000_000_000
_LARK = Lark(Path(__file__).with_name("grammar.lark").read_text(), parser="lalr", maybe_placeholders=False)
_UNITS_NS = {
    "ns": 1,
    "us": 1000,
    "µs": 1000,
    "ms": 1_000_000,
    "s": SECOND_NS,
    "m": 60 * SECOND_NS,
    "h": 3600 * SECOND_NS,
    "d": 86_400 * SECOND_NS,
    "w": 7 * 86_400 * SECOND_NS,
    "y": 365 * 86_400 * SECOND_NS,
}
_OPERATORS = {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv}


class WrongLogQL(Problem):
    """A query that cannot be answered; the message says where and why."""

    def __init__(self, what: str, position: int | None = None) -> None:
        place = "" if position is None else f" at line 1, col {position + 1}"
        super().__init__(f"parse error{place}: {what}")


@dataclass(frozen=True)
class Matcher:
    """`name operator value`; the operator is one of `=`, `!=`, `=~`, `!~`, or compares numbers."""

    name: str
    operator: str
    value: str

    @property
    def is_negative(self) -> bool:
        return self.operator in ("!=", "!~")


@dataclass(frozen=True)
class LineFilter:
    """`|=`, `!=`, `|~` or `!~` with alternatives."""

    operator: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class ParserStage:
    kind: str


@dataclass(frozen=True)
class DropStage:
    """`drop` these labels, or `keep` them alone."""

    kind: str
    names: tuple[str, ...]


@dataclass(frozen=True)
class LabelStage:
    """Holds when every comparison of one alternative does."""

    alternatives: tuple[tuple["Matcher | LabelStage", ...], ...]


Stage: TypeAlias = LineFilter | ParserStage | DropStage | LabelStage


@dataclass(frozen=True)
class LogQuery:
    matchers: tuple[Matcher, ...]
    stages: tuple[Stage, ...] = ()


@dataclass(frozen=True)
class RangeQuery:
    """`count_over_time` or `rate` of what a log query finds within `range_ns` before each point."""

    function: str
    logs: LogQuery
    range_ns: int


@dataclass(frozen=True)
class Aggregation:
    """`by` these labels; without them (None), over all; `without` is `is_without`."""

    function: str
    of: "Metric"
    labels: tuple[str, ...] | None = None
    is_without: bool = False


@dataclass(frozen=True)
class Arithmetic:
    operator: str
    left: "Metric"
    right: "Metric"

    def apply(self, left: float, right: float) -> float | None:
        """Apply the operator; None for a division by zero."""
        if self.operator == "/" and right == 0:
            return None
        return float(_OPERATORS[self.operator](left, right))


@dataclass(frozen=True)
class Number:
    value: float
    is_vector: bool = False


Metric: TypeAlias = RangeQuery | Aggregation | Arithmetic | Number
Expression: TypeAlias = LogQuery | Metric


@lru_cache(maxsize=256)
def parse(text: str) -> Expression:
    """Raises WrongLogQL."""
    if len(text) > LENGTH or text.count("(") > DEPTH or text.count("|") > DEPTH * 2:
        raise WrongLogQL("the query is too long.")
    try:
        query: Expression = _Reader().transform(_LARK.parse(text))
    except VisitError as error:
        if isinstance(error.orig_exc, WrongLogQL):
            raise error.orig_exc from None
        raise
    except UnexpectedInput as error:
        raise _explain(error) from None
    return query


def log_query(text: str) -> LogQuery:
    """Parse a query without metrics. Raises WrongLogQL."""
    query = parse(text)
    if not isinstance(query, LogQuery):
        raise WrongLogQL('a log query is wanted here, such as {service="grading"}, and no metric.')
    return query


class _Reader(Transformer[Token, Any]):
    def __init__(self) -> None:
        super().__init__()
        # Each is computed within the one after it.
        self._operations = 0

    def start(self, parts: list[Any]) -> Expression:
        expression: Expression = parts[0]
        return expression

    def log_query(self, parts: list[Any]) -> LogQuery:
        return LogQuery(parts[0], tuple(parts[1:]))

    def selector(self, parts: list[Matcher]) -> tuple[Matcher, ...]:
        return tuple(parts)

    def matcher(self, parts: list[Token]) -> Matcher:
        return _matcher(parts)

    def comparison(self, parts: list[Token]) -> Matcher:
        return _matcher(parts)

    def line_filter(self, parts: list[Token]) -> LineFilter:
        values = tuple(_text(part) for part in parts[1:])
        if str(parts[0]) in ("|~", "!~"):
            for value, part in zip(values, parts[1:], strict=True):
                _check_pattern(value, part)
        return LineFilter(str(parts[0]), values)

    def parser(self, parts: list[Token]) -> ParserStage:
        return ParserStage(str(parts[0]))

    def drop(self, parts: list[Token]) -> DropStage:
        return DropStage(str(parts[0]), tuple(map(str, parts[1:])))

    def label_stage(self, parts: list[Any]) -> LabelStage:
        return _as_stage(parts[0])

    def label_any(self, parts: list[Any]) -> LabelStage:
        return LabelStage(tuple(alternative for part in parts for alternative in _as_stage(part).alternatives))

    def label_every(self, parts: list[Any]) -> LabelStage:
        return LabelStage((tuple(parts),))

    def vector(self, parts: list[Token]) -> Number:
        return Number(float(parts[0]), is_vector=True)

    def number(self, parts: list[Token]) -> Number:
        return Number(float(parts[0]))

    def arithmetic(self, parts: list[Any]) -> Metric:
        left: Metric = parts[0]
        self._operations += len(parts) // 2
        if self._operations > OPERATIONS:
            raise WrongLogQL(f"it has more than {OPERATIONS} operations.")
        for sign, right in zip(parts[1::2], parts[2::2], strict=True):
            left = Arithmetic(str(sign), left, right)
        return left

    def range_query(self, parts: list[Any]) -> RangeQuery:
        function, matchers, *rest = parts
        (duration,) = (part for part in rest if isinstance(part, Token))
        stages = tuple(part for part in rest if not isinstance(part, Token))
        range_ns = nanoseconds(str(duration).strip("[] \t\n"))
        if range_ns < SECOND_NS:
            raise WrongLogQL("the range must be a second or more.", duration.start_pos)
        return RangeQuery(str(function), LogQuery(matchers, stages), range_ns)

    def grouping(self, parts: list[Token]) -> tuple[str, tuple[str, ...]]:
        return str(parts[0]), tuple(map(str, parts[1:]))

    def aggregation(self, parts: list[Any]) -> Aggregation:
        function = str(parts[0])
        groupings = [part for part in parts[1:] if isinstance(part, tuple)]
        (of,) = (part for part in parts[1:] if not isinstance(part, tuple))
        if len(groupings) > 1:
            raise WrongLogQL("there are two groupings.", parts[0].start_pos)
        kind, labels = groupings[0] if groupings else ("by", None)
        return Aggregation(function, of, labels, is_without=kind == "without")


def nanoseconds(duration: str) -> int:
    """`1h30m` and the like. Raises ValueError."""
    parts = re.findall(r"([0-9]+(?:\.[0-9]+)?)(ns|us|µs|ms|s|m|h|d|w|y)", duration)
    if not parts or "".join(map("".join, parts)) != duration:
        raise ValueError(f"{duration[:40]!r} is not a duration: use such as 30s, 5m or 1h")
    return sum(int(float(number) * _UNITS_NS[unit]) for number, unit in parts)


def _as_stage(part: Any) -> LabelStage:
    return part if isinstance(part, LabelStage) else LabelStage(((part,),))


def _matcher(parts: Sequence[Token]) -> Matcher:
    name, sign, given = parts
    value = str(given) if given.type == "NUMBER" else _text(given)
    if sign in ("=~", "!~"):
        _check_pattern(value, given)
    if sign in (">", ">=", "<", "<=", "==") or (given.type == "NUMBER" and sign in ("=", "!=")):
        try:
            float(value)
        except ValueError:
            raise WrongLogQL(f"{value[:40]!r} is not a number.", given.start_pos) from None
    return Matcher(str(name), str(sign), value)


def _text(token: Token) -> str:
    if token.startswith("`"):
        return str(token)[1:-1]
    try:
        value = python.literal_eval(str(token))
    except (ValueError, SyntaxError):
        raise WrongLogQL(f"{str(token)[:40]} is not a text: escape its backslashes.", token.start_pos) from None
    text = str(value)
    if "\0" in text or (not text.isascii() and any("\ud800" <= each <= "\udfff" for each in text)):
        raise WrongLogQL("the text holds a character that is in no record.", token.start_pos)
    return text


def _check_pattern(pattern: str, token: Token) -> None:
    try:
        re2.compile(pattern)
    except re2.error:
        raise WrongLogQL(f"{pattern[:60]!r} is not a regular expression of RE2.", token.start_pos) from None


def _explain(error: UnexpectedInput) -> WrongLogQL:
    match error:
        case UnexpectedToken(token=Token(type="$END")):
            return WrongLogQL("syntax error: unexpected end of the query.")
        case UnexpectedToken(token=token):
            return WrongLogQL(f"syntax error: unexpected {str(token)[:40]!r}.", token.start_pos)
        case UnexpectedCharacters():
            return WrongLogQL("syntax error: this is not in the part of LogQL that is known here.", error.pos_in_stream)
    return WrongLogQL("syntax error.", error.pos_in_stream)
