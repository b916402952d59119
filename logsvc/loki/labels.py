"""Maps records to Loki's terms: the labels of a stream, and structured metadata."""

import json
import re
from functools import lru_cache
from typing import Any

import re2

from logsvc import severity
from logsvc.loki.logql import DropStage, LabelStage, LineFilter, LogQuery, Matcher, ParserStage
from logsvc.query import ast
from logsvc.query.ast import Comparison, Field, Query
from logsvc.query.matching import value_text
from logsvc.record import Record

FIELDS = {
    "service_name": Field.SERVICE,
    "service": Field.SERVICE,
    "instance": Field.INSTANCE,
    "host": Field.HOST,
    "logger": Field.LOGGER,
    "trace_id": Field.TRACE,
    "span_id": Field.SPAN,
}
LEVELS = ("level", "detected_level")
# The labels of a stream, in alphabetical order.
STREAM_LABELS = ("host", "instance", "level", "logger", "service_name")
_LABEL = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_LITERALS = re.compile(r"[\w .:/@|-]*")
_NESTED = 8
# What precedes a key is taken together with it, and both whole, with a value or without: a search that tried each of
# their characters for a beginning would take a time that grows with the square of their number.
_LOGFMT = re.compile(r'(?=[\w.@-])(?:[^\WA-Za-z_]|[.@-])*+(?:([A-Za-z_][\w.@-]*+)(=(?:"(?:[^"\\]|\\.)*+"|\S*))?)?')

LEVEL_NAMES = {name: "unknown" if name == "UNSPECIFIED" else name.lower() for name in severity.NAMES}


def level_name(number: int) -> str:
    """The level's name by which Grafana colours, such as `error`; `unknown` when the sender gave none."""
    return LEVEL_NAMES[severity.range_of(number).name]


def stream(record: Record) -> dict[str, str]:
    labels = {
        "host": record.host,
        "instance": record.instance,
        "level": level_name(record.severity),
        "logger": record.logger,
        "service_name": record.service,
    }
    return {name: value for name, value in labels.items() if value}


def metadata(record: Record) -> dict[str, str]:
    """The attributes and ids, under names that LogQL can express."""
    members = flattened(record.attributes)
    for name, value in (("trace_id", record.trace_id), ("span_id", record.span_id)):
        if value:
            members[name] = value
    return members


def flattened(members: dict[str, Any], prefix: str = "", depth: int = 1) -> dict[str, str]:
    """Members as Loki's `| json` names them: `a_b` is the member `b` of `a`."""
    found: dict[str, str] = {}
    for name, value in members.items():
        label = prefix + re.sub(r"[^A-Za-z0-9_]", "_", name)
        if isinstance(value, dict) and depth < _NESTED:
            found |= flattened(value, f"{label}_", depth + 1)
        elif not isinstance(value, dict | list):
            found[label if _LABEL.fullmatch(label) else f"_{label}"] = "" if value is None else value_text(value)
    return found


def parsed(body: str) -> dict[str, str] | None:
    """The labels that `| json` finds in a line; None when it is no JSON object."""
    if not body.lstrip().startswith("{"):
        return None
    try:
        members = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return flattened(members) if isinstance(members, dict) else None


def logfmt(body: str) -> dict[str, str]:
    return {re.sub(r"\W", "_", name): value[1:].strip('"') for name, value in _LOGFMT.findall(body) if value}


@lru_cache(maxsize=256)
def narrowed(query: LogQuery) -> Query:
    """The query to the store: it finds every match, and perhaps more, which `engine.Pipeline` filters."""
    parts: list[Query] = [part for matcher in query.matchers if (part := _matcher(matcher)) is not None]
    for stage in query.stages:
        if isinstance(stage, ParserStage) and stage.kind == "decolorize":
            # It changes the line that later filters see.
            break
        if isinstance(stage, LineFilter):
            parts.append(_line_filter(stage))
        elif isinstance(stage, LabelStage) and len(stage.alternatives) == 1:
            # Only what no parser and no attribute can name otherwise.
            parts += [
                part
                for each in stage.alternatives[0]
                if isinstance(each, Matcher) and each.name in LEVELS
                if (part := _matcher(each)) is not None
            ]
    return ast.All(tuple(parts)) if parts else ast.EVERYTHING


def is_exact(query: LogQuery) -> bool:
    """Whether `narrowed` finds the matches and nothing else."""
    stages_are_exact = all(
        isinstance(stage, LineFilter)
        or (
            isinstance(stage, DropStage) and stage.kind == "drop" and all(each.startswith("__") for each in stage.names)
        )
        for stage in query.stages
    )
    return stages_are_exact and all(
        _matcher(matcher) is not None and (matcher.name in FIELDS or matcher.name in LEVELS)
        for matcher in query.matchers
    )


def _line_filter(stage: LineFilter) -> Query:
    is_pattern = stage.operator.endswith("~")
    some = tuple(ast.MatchesPattern(each) if is_pattern else ast.Contains(each) for each in stage.values if each)
    if len(some) < len(stage.values):
        # An empty text is in every line.
        found: Query = ast.EVERYTHING
    else:
        found = some[0] if len(some) == 1 else ast.AnyOf(some)
    if not stage.operator.startswith("!"):
        return found
    return ast.AnyOf(()) if isinstance(found, ast.Everything) else ast.Not(found)


def _matcher(matcher: Matcher) -> Query | None:
    """The query for one matcher; None when the store cannot decide it."""
    if matcher.name in LEVELS:
        return _level(matcher)
    field = FIELDS.get(matcher.name)
    if field is None:
        if matcher.operator == "=" and matcher.value:
            return ast.AttributeIs(matcher.name, matcher.value)
        return None
    if matcher.operator in ("=", "!="):
        found: Query = ast.Equals(field, matcher.value)
    elif matcher.operator not in ("=~", "!~"):
        return None
    elif matcher.value == ".*" or (matcher.value == ".+" and field is Field.SERVICE):
        found = ast.EVERYTHING
    elif _LITERALS.fullmatch(matcher.value) and "." not in matcher.value:
        found = ast.AnyOf(tuple(ast.Equals(field, each) for each in matcher.value.split("|")))
    else:
        found = ast.MatchesPattern(matcher.value, field)
    return ast.Not(found) if matcher.is_negative else found


def _level(matcher: Matcher) -> Query | None:
    if matcher.operator not in ("=", "!=", "=~", "!~"):
        return None
    wanted = matcher.value.lower()
    # `warning` is `warn`, and `critical` is `fatal`.
    known = severity.known(wanted) if wanted != "unknown" else None
    same = level_name(known) if known else wanted
    found = ast.AnyOf(
        tuple(
            ast.LevelIs(Comparison.EQUAL, severity.Severity[name])
            for name, shown in LEVEL_NAMES.items()
            if (re2.fullmatch(matcher.value, shown) if matcher.operator.endswith("~") else shown in (wanted, same))
        )
    )
    return ast.Not(found) if matcher.is_negative else found
