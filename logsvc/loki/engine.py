"""Answers LogQL queries from the store."""

import math
import operator
import re
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any, TypeAlias

import re2

from config.problems import Problem
from logsvc import severity
from logsvc.access import Services
from logsvc.loki import labels
from logsvc.loki.logql import (
    SECOND_NS,
    Aggregation,
    Arithmetic,
    DropStage,
    LabelStage,
    LineFilter,
    LogQuery,
    Matcher,
    Metric,
    Number,
    ParserStage,
    RangeQuery,
)
from logsvc.query import ast
from logsvc.query.ast import Query
from logsvc.record import Stored
from logsvc.storage.current import store
from logsvc.storage.interface import Range, Search

PAGE = 1000
# The most records that a query may read which the roll-ups cannot answer, in all its parts together.
READ_AT_MOST = 200_000
# The time after which Grafana gives up.
SECONDS_AT_MOST = 30.0
POINTS_AT_MOST = 11_000
# The points of all series together.
VALUES_AT_MOST = 500_000
TOO_MUCH = "there is too much to read for that: narrow the time range or the selector."
SERVICES_AT_MOST = 100
_ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_NUMBERS: dict[str, Callable[[float, float], bool]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
    "==": operator.eq,
    "=": operator.eq,
    "!=": operator.ne,
}

Labels: TypeAlias = tuple[tuple[str, str], ...]
# For each set of labels its values, one for each point; None where there is none.
Series: TypeAlias = dict[Labels, list[float | None]]


class TooMuch(Problem):
    """The query would read more than is allowed for one answer."""


@dataclass(kw_only=True)
class Line:
    """A record that a log query found. `metadata` came with it, `parsed` was found in its text."""

    time_ns: int
    text: str
    stream: dict[str, str]
    metadata: dict[str, str] = field(default_factory=dict)
    parsed: dict[str, str] = field(default_factory=dict)

    def get(self, name: str) -> str:
        if name in labels.LEVELS:
            name = "level"
        elif name == "service":
            name = "service_name"
        return self.stream.get(name) or self.parsed.get(name) or self.metadata.get(name) or ""

    @property
    def labels(self) -> dict[str, str]:
        return self.metadata | self.parsed | self.stream


@dataclass(frozen=True, kw_only=True)
class Points:
    """The times at which a metric is asked for."""

    start_ns: int
    end_ns: int
    step_ns: int

    @property
    def times(self) -> range:
        return range(self.start_ns, self.end_ns + 1, self.step_ns)


class Budget:
    """The records that one query may still read, and the time by which it is to be answered."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._ends_at = clock() + SECONDS_AT_MOST
        self._records = READ_AT_MOST

    def spend(self, records: int) -> None:
        """Raises TooMuch when nothing is left."""
        self._records -= records
        if self._records <= 0:
            raise TooMuch(TOO_MUCH)
        self.check_time()

    def check_time(self) -> None:
        """Raises TooMuch when the time is over."""
        if self._clock() > self._ends_at:
            raise TooMuch(TOO_MUCH)


class Pipeline:
    """Turns records into lines, and drops those that do not match after all."""

    def __init__(self, query: LogQuery) -> None:
        self._matchers = query.matchers
        self._stages = query.stages
        # RE2's module keeps 128 patterns, and would compile more than that anew for each record.
        filters = (stage for stage in query.stages if isinstance(stage, LineFilter) and stage.operator.endswith("~"))
        self._patterns = {each: re2.compile(each) for stage in filters for each in stage.values}

    def line(self, record: Stored) -> Line | None:
        line = Line(
            time_ns=record.time_ns,
            text=record.body,
            stream=labels.stream(record),
            metadata=labels.metadata(record),
        )
        if not all(_holds(matcher, line) for matcher in self._matchers):
            return None
        for stage in self._stages:
            match stage:
                case LineFilter():
                    if stage.operator.endswith("~"):
                        found = any(self._patterns[each].search(line.text) for each in stage.values)
                    else:
                        found = any(each in line.text for each in stage.values)
                    if found is stage.operator.startswith("!"):
                        return None
                case LabelStage():
                    if not _any_holds(stage, line):
                        return None
                case ParserStage("json"):
                    line.parsed |= labels.parsed(line.text) or {}
                case ParserStage("logfmt"):
                    line.parsed |= labels.logfmt(line.text)
                case ParserStage():
                    line.text = _ANSI.sub("", line.text)
                case DropStage():
                    for members in (line.stream, line.metadata, line.parsed):
                        for name in list(members):
                            if (name in stage.names) is (stage.kind == "drop"):
                                del members[name]
        return line


def lines(
    query: LogQuery,
    *,
    readable: Services,
    within: Range,
    limit: int,
    is_forward: bool = False,
    budget: Budget | None = None,
) -> list[Line]:
    """The first `limit` matches, newest first or oldest first."""
    pipeline, budget = Pipeline(query), budget or Budget()
    found: list[Line] = []
    page = min(limit, PAGE)
    for record in _records(labels.narrowed(query), readable, within, budget, is_forward=is_forward, page=page):
        line = pipeline.line(record)
        if line is not None:
            found.append(line)
            if len(found) == limit:
                break
    return found


def evaluate(metric: Metric, points: Points, *, readable: Services, budget: Budget | None = None) -> Series | float:
    """Evaluate a metric: a value for each point of each series, or a single number."""
    if len(points.times) > POINTS_AT_MOST:
        raise TooMuch(f"that is more than {POINTS_AT_MOST} points a series: ask for a longer step.")
    budget = budget or Budget()
    match metric:
        case Number(value, is_vector):
            return {(): [value] * len(points.times)} if is_vector else value
        case Arithmetic():
            left, right = (
                evaluate(each, points, readable=readable, budget=budget) for each in (metric.left, metric.right)
            )
            budget.check_time()
            return _arithmetic(metric, left, right)
        case Aggregation("sum", RangeQuery() as counted) if not metric.is_without:
            return _counted(counted, points, readable, budget, by=metric.labels or ())
        case Aggregation():
            return _aggregated(metric, evaluate(metric.of, points, readable=readable, budget=budget))
        case RangeQuery():
            return _counted(metric, points, readable, budget, by=None)


def _counted(
    query: RangeQuery, points: Points, readable: Services, budget: Budget, *, by: tuple[str, ...] | None
) -> Series:
    """Count by these labels, or by all; from the store's own counts where they suffice, without reading records."""
    grouping = None if by is None else frozenset(by)
    if labels.is_exact(query.logs) and grouping is not None and grouping <= {*labels.LEVELS, "service", "service_name"}:
        series = _from_histograms(query, points, readable, budget, by=by or ())
    else:
        series = _by_reading(query, points, readable, budget, by=by)
    if query.function == "rate":
        seconds = query.range_ns / SECOND_NS
        return {key: [None if each is None else each / seconds for each in values] for key, values in series.items()}
    return series


def _from_histograms(
    query: RangeQuery, points: Points, readable: Services, budget: Budget, *, by: tuple[str, ...]
) -> Series:
    """Points are moved up to whole buckets, of a second at least, so that the last one has the newest records."""
    width = max(math.gcd(points.step_ns, query.range_ns) // SECOND_NS, 1) * SECOND_NS
    start = (points.start_ns - query.range_ns) // width * width
    end = -(-points.end_ns // width) * width
    if (end - start) // width > 4 * POINTS_AT_MOST:
        raise TooMuch("the range and the step have no large common part: make one a multiple of the other.")
    narrowed = readable.restrict(labels.narrowed(query.logs))
    wanted: list[tuple[str, Query]] = [("", narrowed)]
    if {"service", "service_name"} & set(by):
        known = [each for each in store().services() if each in readable]
        if len(known) > SERVICES_AT_MOST:
            return _by_reading(query, points, readable, budget, by=by)
        wanted = [(each, ast.both(ast.Equals(ast.Field.SERVICE, each), narrowed)) for each in known]
    series: Series = {}
    for service, part in wanted:
        if end <= start:
            break
        budget.check_time()
        found = store().histogram(query=part, within=Range(from_ns=start, to_ns=end), step_ns=width)
        if not found.is_complete:
            raise TooMuch("the records could not be counted in time: narrow the time range or the selector.")
        counts: dict[Labels, list[int]] = {}
        for place, bucket in enumerate(found.counts):
            for level, count in bucket.items():
                key = _key({"service_name": service, "level": labels.LEVEL_NAMES[level]}, by)
                counts.setdefault(key, [0] * len(found.counts))[place] += count
        for key, values in counts.items():
            series[key] = _windows(values, found.from_ns, width, query.range_ns, points)
        _check_size(series, points)
    return {key: values for key, values in series.items() if any(each is not None for each in values)}


def _by_reading(
    query: RangeQuery, points: Points, readable: Services, budget: Budget, *, by: tuple[str, ...] | None
) -> Series:
    within = Range(from_ns=points.start_ns - query.range_ns + 1, to_ns=points.end_ns + 1)
    pipeline = Pipeline(query.logs)
    count = len(points.times)
    # The changes from each point to the next.
    changes: dict[Labels, list[int]] = {}
    for record in _records(labels.narrowed(query.logs), readable, within, budget, is_forward=False, page=PAGE):
        line = pipeline.line(record)
        if line is None:
            continue
        members = line.labels.items() if by is None else [(name, line.get(name)) for name in by if line.get(name)]
        # It counts at each point from its own time on, for as long as the range is.
        first = max(-((points.start_ns - line.time_ns) // points.step_ns), 0)
        end = min((line.time_ns + query.range_ns - 1 - points.start_ns) // points.step_ns, count - 1) + 1
        if first >= end:
            continue
        key = tuple(sorted(members))
        if key not in changes:
            changes[key] = [0] * (count + 1)
            _check_size(changes, points)
        changes[key][first] += 1
        changes[key][end] -= 1
    return {key: [each or None for each in accumulate(values[:-1])] for key, values in changes.items()}


def _check_size(series: Mapping[Labels, Any], points: Points) -> None:
    if len(series) * len(points.times) > VALUES_AT_MOST:
        raise TooMuch(
            f"that is more than {VALUES_AT_MOST} points in all series together: ask for a longer step, or count by "
            "fewer labels."
        )


def _windows(values: list[int], from_ns: int, width: int, range_ns: int, points: Points) -> list[float | None]:
    sums = [0]
    for value in values:
        sums.append(sums[-1] + value)
    size = max(round(range_ns / width), 1)
    found: list[float | None] = []
    for time_ns in points.times:
        end = min(max(-((from_ns - time_ns) // width), 0), len(values))
        count = sums[end] - sums[max(end - size, 0)]
        found.append(float(count) if count else None)
    return found


def _records(
    query: Query, readable: Services, within: Range, budget: Budget, *, is_forward: bool, page: int
) -> Iterator[Stored]:
    """Every match in order; raises TooMuch when there are too many, or finding them takes too long."""
    place: int | None = None
    restricted = readable.restrict(query)
    incomplete = 0
    while True:
        found = store().search(
            Search(
                query=restricted,
                within=within,
                limit=page,
                is_ascending=is_forward,
                after=place if is_forward else None,
                before=None if is_forward else place,
            )
        )
        for record in found.records:
            budget.check_time()
            yield record
        incomplete += not found.is_complete
        if found.next is None:
            return
        budget.spend(len(found.records) if incomplete <= 1 else READ_AT_MOST)
        place = found.next


def _arithmetic(metric: Arithmetic, left: Series | float, right: Series | float) -> Series | float:
    if isinstance(left, float) and isinstance(right, float):
        return metric.apply(left, right) or 0.0
    keys = list(left) if isinstance(left, dict) else list(right) if isinstance(right, dict) else []
    found: Series = {}
    for key in keys:
        if isinstance(left, dict) and isinstance(right, dict) and key not in right:
            continue
        length = len((left if isinstance(left, dict) else right)[key])  # type: ignore[index]  # one of them is a dict
        lefts = left[key] if isinstance(left, dict) else [left] * length
        rights = right[key] if isinstance(right, dict) else [right] * length
        found[key] = [
            None if one is None or other is None else metric.apply(one, other)
            for one, other in zip(lefts, rights, strict=True)
        ]
    return found


_FOLDS: dict[str, Callable[[list[float]], float]] = {
    "sum": sum,
    "min": min,
    "max": max,
    "avg": lambda values: sum(values) / len(values),
    "count": lambda values: float(len(values)),
}


def _aggregated(metric: Aggregation, of: Series | float) -> Series | float:
    if isinstance(of, float):
        return of
    grouped: dict[Labels, list[list[float | None]]] = defaultdict(list)
    for key, values in of.items():
        members = dict(key)
        if metric.is_without:
            kept = {name: value for name, value in members.items() if name not in (metric.labels or ())}
            grouped[tuple(sorted(kept.items()))].append(values)
        else:
            grouped[_key(members, metric.labels or ())].append(values)
    fold = _FOLDS[metric.function]
    found: Series = {}
    for key, some in grouped.items():
        columns = [[each for each in column if each is not None] for column in zip(*some, strict=True)]
        found[key] = [fold(column) if column else None for column in columns]
    return found


def _key(members: Mapping[str, str], by: tuple[str, ...]) -> Labels:
    known = {name: members.get("level" if name in labels.LEVELS else name, "") for name in by}
    if "service" in known:
        known["service"] = members.get("service_name", members.get("service", ""))
    return tuple(sorted((name, value) for name, value in known.items() if value))


def _holds(matcher: Matcher, line: Line) -> bool:
    value = line.get(matcher.name)
    match matcher.operator:
        case "=~":
            return re2.fullmatch(matcher.value, value) is not None
        case "!~":
            return re2.fullmatch(matcher.value, value) is None
        case "=" | "!=" if not _is_number(matcher.value) or not _is_number(value):
            is_same = value == matcher.value
            if matcher.name in labels.LEVELS and not is_same:
                known = severity.known(matcher.value)
                is_same = bool(known) and labels.level_name(known or 0) == value
            return is_same is (matcher.operator == "=")
        case _:
            return _is_number(value) and _NUMBERS[matcher.operator](float(value), float(matcher.value))


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def _any_holds(stage: LabelStage, line: Line) -> bool:
    return any(
        all(_any_holds(each, line) if isinstance(each, LabelStage) else _holds(each, line) for each in alternative)
        for alternative in stage.alternatives
    )
