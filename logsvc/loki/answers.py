"""Answers in the shape of Loki's HTTP API, version 1."""

from collections.abc import Mapping, Sequence
from typing import Any

from logsvc.loki.engine import Line, Points, Series

# Grafana asks for it, to colour and filter lines by their labels.
CATEGORIZED = "categorize-labels"


def streams(lines: Sequence[Line], *, is_categorized: bool) -> list[dict[str, Any]]:
    """Lines by stream. Categorised, structured metadata and parsed labels stand beside the line; else they are labels
    of the stream.
    """
    found: dict[tuple[tuple[str, str], ...], dict[str, Any]] = {}
    for line in lines:
        members = line.stream if is_categorized else line.labels
        value: list[Any] = [str(line.time_ns), line.text]
        if is_categorized:
            extra: dict[str, Mapping[str, str]] = {}
            if line.metadata:
                extra["structuredMetadata"] = line.metadata
            if line.parsed:
                extra["parsed"] = line.parsed
            value.append(extra)
        key = tuple(sorted(members.items()))
        found.setdefault(key, {"stream": members, "values": []})["values"].append(value)
    return list(found.values())


def logs(lines: Sequence[Line], *, is_categorized: bool) -> dict[str, Any]:
    data: dict[str, Any] = {
        "resultType": "streams",
        "result": streams(lines, is_categorized=is_categorized),
        "stats": {},
    }
    if is_categorized:
        data["encodingFlags"] = [CATEGORIZED]
    return success(data)


def matrix(series: Series | float, points: Points) -> dict[str, Any]:
    times = points.times
    if isinstance(series, float):
        series = {(): [series] * len(times)}
    result = [
        {
            "metric": dict(key),
            "values": [
                [time_ns / 1e9, number(value)]
                for time_ns, value in zip(times, values, strict=True)
                if value is not None
            ],
        }
        for key, values in series.items()
    ]
    return success({"resultType": "matrix", "result": [each for each in result if each["values"]], "stats": {}})


def vector(series: Series | float, time_ns: int) -> dict[str, Any]:
    if isinstance(series, float):
        return success({"resultType": "scalar", "result": [time_ns / 1e9, number(series)], "stats": {}})
    result = [
        {"metric": dict(key), "value": [time_ns / 1e9, number(values[0])]}
        for key, values in series.items()
        if values and values[0] is not None
    ]
    return success({"resultType": "vector", "result": result, "stats": {}})


def success(data: Any) -> dict[str, Any]:
    return {"status": "success", "data": data}


def number(value: float | None) -> str:
    assert value is not None, "a point without a value is left out"
    return str(int(value)) if value == int(value) else repr(value)
