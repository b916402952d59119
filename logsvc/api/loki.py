"""Loki's query API, as Grafana calls it: parse, ask the engine, answer."""

import math
import re
import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from django.http import HttpResponse
from rest_framework.request import Request
from rest_framework.response import Response

from config.problems import Problem
from logsvc import timestamps
from logsvc.api.views import LogsvcView
from logsvc.loki import answers, engine, labels, logql
from logsvc.loki.engine import Points
from logsvc.loki.logql import LogQuery, WrongLogQL
from logsvc.query import ast
from logsvc.storage.current import store
from logsvc.storage.interface import Range

T = TypeVar("T")
HOUR_NS = 3600 * logql.SECOND_NS
DEFAULT_LIMIT, HIGHEST_LIMIT = 100, 5000
SERIES_AT_MOST = 2000
VALUES_AT_MOST = 500
ATTRIBUTES_AT_MOST = 100
# The release that Grafana takes this for: the first whose answers hold categorised labels.
VERSION = "3.0.0"
_ENCODING = "X-Loki-Response-Encoding-Flags"


class LokiView(LogsvcView):
    """Answers errors in plain text, which Grafana shows as it is."""

    def handle_exception(self, exc: Exception) -> Any:
        answer = super().handle_exception(exc)
        if not isinstance(exc, Problem):
            return answer
        plain: Any = HttpResponse(f"{exc.detail}\n", status=exc.status, content_type="text/plain; charset=utf-8")
        for name in ("Retry-After", "WWW-Authenticate"):
            if answer.has_header(name):
                plain[name] = answer[name]
        return plain

    def flags(self, request: Request) -> bool:
        return answers.CATEGORIZED in request.headers.get(_ENCODING, "")


class QueryRangeView(LokiView):
    def get(self, request: Request) -> Response:
        parameters, readable = request.query_params, self.readable(request)
        query, (start, end) = logql.parse(_query(parameters)), _range(parameters)
        if isinstance(query, LogQuery):
            found = engine.lines(
                query,
                readable=readable,
                within=Range(from_ns=start, to_ns=end),
                limit=read_limit(parameters),
                is_forward=_is_forward(parameters),
            )
            return Response(answers.logs(found, is_categorized=self.flags(request)))
        step = _read(parameters, "step", _step, max((end - start) // 250, logql.SECOND_NS))
        points = Points(start_ns=start, end_ns=end, step_ns=step)
        return Response(answers.matrix(engine.evaluate(query, points, readable=readable), points))


class QueryView(LokiView):
    def get(self, request: Request) -> Response:
        parameters, readable = request.query_params, self.readable(request)
        query = logql.parse(_query(parameters))
        at = _read(parameters, "time", _moment, time.time_ns())
        if isinstance(query, LogQuery):
            within = Range(from_ns=at - HOUR_NS, to_ns=at + 1)
            found = engine.lines(
                query,
                readable=readable,
                within=within,
                limit=read_limit(parameters),
                is_forward=_is_forward(parameters),
            )
            return Response(answers.logs(found, is_categorized=self.flags(request)))
        points = Points(start_ns=at, end_ns=at, step_ns=logql.SECOND_NS)
        return Response(answers.vector(engine.evaluate(query, points, readable=readable), at))


class LabelsView(LokiView):
    def get(self, request: Request) -> Response:
        query, within = _selected(request.query_params)
        query = self.readable(request).restrict(query)
        names = [
            name
            for name in store().attribute_names(query=query, within=within)
            if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name)
        ]
        return Response(answers.success(sorted({*labels.STREAM_LABELS, *names[:ATTRIBUTES_AT_MOST]})))


class LabelValuesView(LokiView):
    def get(self, request: Request, name: str) -> Response:
        query, within = _selected(request.query_params)
        readable = self.readable(request)
        if name in labels.LEVELS:
            field = "level"
        elif name in labels.FIELDS:
            field = labels.FIELDS[name].value
        else:
            field = f"attr.{name}"
        if field == "service" and isinstance(query, ast.Everything):
            values = [service for service in store().services() if service in readable]
        else:
            found = store().facets(query=readable.restrict(query), within=within, fields=[field], limit=VALUES_AT_MOST)
            values = [value for value, _ in found.values[field] if value]
        if field == "level":
            values = [labels.LEVEL_NAMES.get(value, value.lower()) for value in values]
        return Response(answers.success(sorted(set(values))))


class SeriesView(LokiView):
    def get(self, request: Request) -> Response:
        parameters = request.query_params
        start, end = _range(parameters)
        given = [*parameters.getlist("match[]"), *parameters.getlist("match")] or ["{}"]
        found: dict[tuple[tuple[str, str], ...], dict[str, str]] = {}
        budget = engine.Budget()
        for text in given[:10]:
            lines = engine.lines(
                logql.log_query(text),
                readable=self.readable(request),
                within=Range(from_ns=start, to_ns=end),
                limit=SERIES_AT_MOST,
                budget=budget,
            )
            found |= {tuple(line.stream.items()): line.stream for line in lines}
        return Response(answers.success(list(found.values())))


class StatsView(LokiView):
    """Statistics that Explore shows before a query runs; streams and chunks exist in Loki's own store only."""

    def get(self, request: Request) -> Response:
        start, end = _range(request.query_params)
        query = logql.log_query(_query(request.query_params))
        step = max((end - start) // 100, logql.SECOND_NS)
        step = -(-step // (60 * logql.SECOND_NS)) * 60 * logql.SECOND_NS
        found = store().histogram(
            query=self.readable(request).restrict(labels.narrowed(query)),
            within=Range(from_ns=start, to_ns=max(end, start)),
            step_ns=step,
        )
        entries = sum(sum(bucket.values()) for bucket in found.counts)
        return Response({"streams": 0, "chunks": 0, "entries": entries, "bytes": 0})


class BuildInfoView(LokiView):
    def get(self, request: Request) -> Response:
        return Response({"version": VERSION, "revision": "", "branch": "", "buildDate": "", "goVersion": ""})


def _selected(parameters: Mapping[str, str]) -> tuple[ast.Query, Range]:
    """The selection of `query`, everything when there is none, and the range from `start` to `end`."""
    start, end = _range(parameters)
    text = parameters.get("query", "").strip()
    query = labels.narrowed(logql.log_query(text)) if text else ast.EVERYTHING
    return query, Range(from_ns=start, to_ns=end)


def _query(parameters: Mapping[str, str]) -> str:
    text = parameters.get("query", "")
    if not text.strip():
        raise WrongLogQL("a query is missing: give `query`.")
    return text


def _range(parameters: Mapping[str, str]) -> tuple[int, int]:
    end = _read(parameters, "end", _moment, time.time_ns())
    since = _read(parameters, "since", logql.nanoseconds, HOUR_NS)
    start = _read(parameters, "start", _moment, end - since)
    if start > end:
        raise Problem("end timestamp must not be before start time")
    return start, end


def read_limit(parameters: Mapping[str, str]) -> int:
    def read(value: str) -> int:
        if not (value.isascii() and value.isdecimal() and len(value) < 8 and int(value)):
            raise ValueError(f"{value[:40]!r} is not a number from 1 to {HIGHEST_LIMIT}")
        return min(int(value), HIGHEST_LIMIT)

    return _read(parameters, "limit", read, DEFAULT_LIMIT)


def _is_forward(parameters: Mapping[str, str]) -> bool:
    return parameters.get("direction", "").lower() == "forward"


def _moment(value: str) -> int:
    """A time in nanoseconds, in seconds with a fraction, or in RFC 3339."""
    if re.fullmatch(r"[0-9]{1,12}(\.[0-9]{1,9})?", value):
        return round(float(value) * logql.SECOND_NS)
    return timestamps.nanoseconds(value)


def _step(value: str) -> int:
    if re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", value):
        step = math.ceil(float(value) * logql.SECOND_NS)
    else:
        step = logql.nanoseconds(value)
    if step < 1_000_000:
        raise ValueError(f"{value[:40]!r} is too short a step")
    return step


def read_moment(parameters: Mapping[str, str], name: str, default: int) -> int:
    return _read(parameters, name, _moment, default)


def _read(parameters: Mapping[str, str], name: str, read: Callable[[str], T], default: T) -> T:
    value = parameters.get(name, "")
    if not value:
        return default
    try:
        return read(value)
    except (ValueError, OverflowError) as error:
        raise Problem(f"{name}: {error}.") from error
