"""Turns query parameters into questions to the store."""

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass

from logsvc import severity, timestamps
from logsvc.access import Services
from logsvc.ordering import HIGHEST_ID
from logsvc.parameters import Parameters, between, text
from logsvc.query import ast, parser
from logsvc.query.ast import Query
from logsvc.record import NANOSECONDS
from logsvc.storage.interface import Range, Search

DEFAULT_LIMIT, HIGHEST_LIMIT = 100, 1000
DEFAULT_BUCKETS, MOST_BUCKETS = 60, 1000
CONTEXT_LIMIT = 50
FACETS = ("level", "service", "instance", "host", "logger")
_RELATIVE = re.compile(r"(?:now)?-([0-9]{1,6})([smhdw])")
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
# Steps that fall on the edges that people read, and that counts are kept for.
_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400, 604_800)


@dataclass(frozen=True, kw_only=True)
class HistogramQuestion:
    query: Query
    within: Range
    step_ns: int


@dataclass(frozen=True, kw_only=True)
class FacetsQuestion:
    query: Query
    within: Range
    fields: list[str]
    limit: int


def search(query: Mapping[str, str], readable: Services) -> Search:
    parameters = Parameters(query)
    wanted = parameters.get("q", parser.parse, ast.EVERYTHING)
    within = _range(parameters)
    cursor = parameters.get("cursor", between(0, HIGHEST_ID), None)
    limit = parameters.get("limit", between(1, HIGHEST_LIMIT), DEFAULT_LIMIT)
    parameters.check()
    return Search(query=readable.restrict(wanted), within=within, before=cursor, limit=limit)


def first_release_search(query: Mapping[str, str], readable: Services) -> Search:
    parameters = Parameters(query)
    parts: list[Query] = []
    service = parameters.get("service", text, "")
    level = parameters.get("level", severity.from_level, None)
    wanted = parameters.get("q", text, "")
    since = parameters.get("since", moment, None)
    until = parameters.get("until", moment, None)
    before = parameters.get("before", between(1, HIGHEST_ID), None)
    limit = parameters.get("limit", between(1, HIGHEST_LIMIT), DEFAULT_LIMIT)
    parameters.check()
    if service:
        parts.append(ast.Equals(ast.Field.SERVICE, service))
    if level is not None:
        parts.append(ast.LevelIs(ast.Comparison.AT_LEAST, level))
    if wanted:
        parts.append(ast.Contains(wanted, ignore_case=True))
    return Search(
        query=readable.restrict(ast.All(tuple(parts)) if parts else ast.EVERYTHING),
        within=Range(from_ns=since, to_ns=until),
        before=before,
        limit=limit,
    )


def histogram(query: Mapping[str, str], readable: Services) -> HistogramQuestion:
    parameters = Parameters(query)
    wanted = parameters.get("q", parser.parse, ast.EVERYTHING)
    within = _range(parameters)
    step = parameters.get("step", _step, None)
    buckets = parameters.get("buckets", between(1, MOST_BUCKETS), DEFAULT_BUCKETS)
    end = time.time_ns() if within.to_ns is None else within.to_ns
    start = end - 3600 * NANOSECONDS if within.from_ns is None else within.from_ns
    within = Range(from_ns=start, to_ns=max(end, start))
    step_ns = step or _fitting_step(within, buckets)
    if (end - start) / step_ns > MOST_BUCKETS:
        if step:
            parameters.refuse("step", f"it makes more than {MOST_BUCKETS} buckets of this range: use a longer one")
        step_ns = _fitting_step(within, MOST_BUCKETS)
    parameters.check()
    return HistogramQuestion(query=readable.restrict(wanted), within=within, step_ns=step_ns)


def facets(query: Mapping[str, str], readable: Services) -> FacetsQuestion:
    parameters = Parameters(query)
    wanted = parameters.get("q", parser.parse, ast.EVERYTHING)
    within = _range(parameters)
    fields = parameters.get("field", _facet_fields, list(FACETS))
    limit = parameters.get("limit", between(1, 100), 10)
    parameters.check()
    return FacetsQuestion(query=readable.restrict(wanted), within=within, fields=fields, limit=limit)


def arrivals(query: Mapping[str, str], readable: Services) -> tuple[Query, int | None, int]:
    """The query, the arrival to go on from, and the most arrivals to look at."""
    parameters = Parameters(query)
    wanted = parameters.get("q", parser.parse, ast.EVERYTHING)
    cursor = parameters.get("cursor", between(0, HIGHEST_ID), None)
    limit = parameters.get("limit", between(1, HIGHEST_LIMIT), DEFAULT_LIMIT)
    parameters.check()
    return readable.restrict(wanted), cursor, limit


def context(query: Mapping[str, str]) -> tuple[int, int]:
    """The numbers of records before and after."""
    parameters = Parameters(query)
    before = parameters.get("before", between(0, HIGHEST_LIMIT), CONTEXT_LIMIT)
    after = parameters.get("after", between(0, HIGHEST_LIMIT), CONTEXT_LIMIT)
    parameters.check()
    return before, after


def moment(value: str) -> int:
    """A time, or how long ago it was: `-15m`, `now-1h`, `now`."""
    relative = _RELATIVE.fullmatch(value.strip())
    if value.strip() == "now":
        return time.time_ns()
    if relative:
        return time.time_ns() - int(relative[1]) * _UNITS[relative[2]] * NANOSECONDS
    try:
        return timestamps.nanoseconds(value)
    except ValueError as error:
        hint = "; a '+' in an address is written %2B" if re.search(r"\d \d\d:?\d\d$", value) else ""
        raise ValueError(f"{error}{hint}") from error


def _range(parameters: Parameters) -> Range:
    from_ns, to_ns = parameters.get("from", moment, None), parameters.get("to", moment, None)
    return Range(from_ns=from_ns, to_ns=to_ns)


def _step(value: str) -> int:
    match = re.fullmatch(r"([0-9]{1,7})([smhdw]?)", value)
    if match is None or not int(match[1]):
        raise ValueError(f"{value[:40]!r} is not a step: use such as 30s, 5m, 1h or 1d")
    return int(match[1]) * _UNITS[match[2] or "s"] * NANOSECONDS


def _fitting_step(within: Range, buckets: int) -> int:
    assert within.from_ns is not None, "a histogram has a beginning"
    assert within.to_ns is not None, "and an end"
    wanted = (within.to_ns - within.from_ns) / buckets / NANOSECONDS
    for step in _STEPS:
        if step >= wanted:
            return step * NANOSECONDS
    weeks = int(wanted // _STEPS[-1]) + 1
    return weeks * _STEPS[-1] * NANOSECONDS


def _facet_fields(value: str) -> list[str]:
    fields = [each.strip() for each in value.split(",") if each.strip()]
    known = {"level", *(field.value for field in ast.Field)}
    for field in fields:
        if field not in known and not (field.startswith("attr.") and len(field) > 5):
            raise ValueError(f"{field[:40]!r} is not a field: use {', '.join(sorted(known))} or attr.NAME")
    if len(fields) > 20:
        raise ValueError("at most 20 fields are counted at once")
    return fields
