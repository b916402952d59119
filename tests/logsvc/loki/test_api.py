"""The requests that Grafana sends to a Loki, and what it makes of the answers."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rest_framework.test import APIClient

from logsvc.loki import engine
from tests.examples import examples
from tests.logsvc import factories
from tests.logsvc.factories import NOW_NS, keep, record

SECOND_NS = 1_000_000_000
MINUTE_NS = 60 * SECOND_NS
# When the second record was written.
SECOND = NOW_NS - 130 * SECOND_NS

pytestmark = pytest.mark.django_db


def ask(client: APIClient, path: str, *, status: Any = 200, flags: Any = "", **parameters: Any) -> Any:
    given = {"start": str(NOW_NS - 60 * MINUTE_NS), "end": str(NOW_NS + MINUTE_NS)} | parameters
    headers = {"X-Loki-Response-Encoding-Flags": flags} if flags else {}
    answer = client.get(f"/loki/api/v1/{path}", given, headers=headers)
    assert answer.status_code == status, answer.content
    if status != 200:
        assert answer["Content-Type"].startswith("text/plain")
        return answer.content.decode()
    return answer.json()


def bodies(client: APIClient, query: str, **parameters: Any) -> list[str]:
    """The lines in the order of their time, as Explore merges the streams."""
    data = ask(client, "query_range", query=query, **parameters)["data"]
    assert data["resultType"] == "streams"
    values = [value for stream in data["result"] for value in stream["values"]]
    return [value[1] for value in sorted(values, key=lambda value: -int(value[0]))]


@pytest.fixture(autouse=True)
def _records(db: None) -> None:
    keep(
        record("grade 1 added", time_ns=NOW_NS - 190 * SECOND_NS, severity=9, instance="g-1", logger="grading.api"),
        record("grade 2 added", time_ns=SECOND, severity=9, instance="g-2",
               attributes={"course": "physics", "http": {"status": 200}}),
        record("no grade for Ada", time_ns=NOW_NS - 70 * SECOND_NS, severity=17, instance="g-1",
               trace_id="4bf92f3577b34da6a3ce929d0e0e4736"),
        record('{"order": 7, "deep": {"er": "x"}}', time_ns=NOW_NS - 30 * SECOND_NS, severity=13, service="shop"),
        record("level 0", time_ns=NOW_NS - 20 * SECOND_NS, severity=0, service="shop"),
    )  # fmt: skip


def test_the_data_sources_test_succeeds(reader: APIClient) -> None:
    data = ask(reader, "query", query="vector(1)+vector(1)", time=str(NOW_NS))["data"]

    assert data["resultType"] == "vector"
    assert data["result"] == [{"metric": {}, "value": [NOW_NS / 1e9, "2"]}]
    assert ask(reader, "labels")["status"] == "success"
    assert ask(reader, "status/buildinfo")["version"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ('{service_name="grading"}', ["no grade for Ada", "grade 2 added", "grade 1 added"]),
        ('{service="grading", instance="g-1"}', ["no grade for Ada", "grade 1 added"]),
        ('{service_name=~"grad.*|x"}', ["no grade for Ada", "grade 2 added", "grade 1 added"]),
        ('{service_name!~".+ing"}', ["level 0", '{"order": 7, "deep": {"er": "x"}}']),
        ('{level="error"}', ["no grade for Ada"]),
        ('{detected_level=~"error|warn"}', ['{"order": 7, "deep": {"er": "x"}}', "no grade for Ada"]),
        ('{level="unknown"}', ["level 0"]),
        ('{course="physics"}', ["grade 2 added"]),
        ('{course=~"ph.+"}', ["grade 2 added"]),
        ('{service_name="grading", course!="physics"}', ["no grade for Ada", "grade 1 added"]),
        ('{service_name=~".+"} |= "grade" != `Ada`', ["grade 2 added", "grade 1 added"]),
        ('{service_name=~".+"} |~ "grade [0-9]" !~ "1"', ["grade 2 added"]),
        ('{service_name=~".+"} |= "level" or "Ada"', ["level 0", "no grade for Ada"]),
        ('{service_name=~".+"} |= ``', ["level 0", '{"order": 7, "deep": {"er": "x"}}', "no grade for Ada",
                                       "grade 2 added", "grade 1 added"]),
        ('{service_name="shop"} | json | order=7', ['{"order": 7, "deep": {"er": "x"}}']),
        ('{service_name="shop"} | json | order > 7', []),
        ('{service_name="shop"} | json | deep_er="x" and order<=7', ['{"order": 7, "deep": {"er": "x"}}']),
        ('{service_name="grading"} | http_status>=200 | level="info"', ["grade 2 added"]),
        ('{service_name="grading"} | trace_id=~"4bf.*"', ["no grade for Ada"]),
        ('{service_name="grading"} | level="error" or course="physics"', ["no grade for Ada", "grade 2 added"]),
        ('{service_name="nobody"}', []),
    ],
)  # fmt: skip
def test_explores_queries_find_lines(reader: APIClient, query: str, found: list[str]) -> None:
    assert bodies(reader, query) == found
    assert bodies(reader, query, direction="forward") == found
    assert bodies(reader, query, limit=1) == found[:1]
    assert bodies(reader, query, limit=1, direction="forward") == found[-1:]


def test_streams_are_named_by_their_labels_and_metadata_stands_beside_the_line(reader: APIClient) -> None:
    query = '{course="physics"} | json'
    data = ask(reader, "query_range", query=query, flags="categorize-labels")["data"]

    assert data["encodingFlags"] == ["categorize-labels"]
    labels = {"instance": "g-2", "level": "info", "service_name": "grading"}
    value = [
        str(SECOND),
        "grade 2 added",
        {"structuredMetadata": {"course": "physics", "http_status": "200"}},
    ]
    assert data["result"] == [{"stream": labels, "values": [value]}]
    plain = ask(reader, "query_range", query=query)["data"]["result"]
    assert plain[0]["stream"] == labels | {"course": "physics", "http_status": "200"}
    assert plain[0]["values"] == [value[:2]]


def matrix(client: APIClient, query: str, **parameters: Any) -> dict[str, list[tuple[int, str]]]:
    """Points of each series, with their times in minutes before now."""
    data = ask(client, "query_range", query=query, **parameters)["data"]
    assert data["resultType"] == "matrix"
    return {
        ",".join(sorted(series["metric"].values())): [
            (round((NOW_NS / 1e9 - time) / 60), value) for time, value in series["values"]
        ]
        for series in data["result"]
    }


RANGE = {"start": str(NOW_NS - 4 * MINUTE_NS), "end": str(NOW_NS), "step": "60"}


def test_explores_volume_is_counted_by_level(reader: APIClient) -> None:
    query = 'sum by (level, detected_level) (count_over_time({service_name=~".+"} | drop __error__[1m]))'

    found = matrix(reader, query, **RANGE)

    assert {key: sum(int(value) for _, value in values) for key, values in found.items()} == {
        "info,info": 2,
        "error,error": 1,
        "warn,warn": 1,
        "unknown,unknown": 1,
    }


@pytest.mark.parametrize("function", ["count_over_time", "rate"])
@pytest.mark.parametrize("by", ["", " by (level)", " by (service_name)", " by (service_name, level)"])
def test_counts_from_the_stores_own_are_those_of_the_records(reader: APIClient, by: str, function: str) -> None:
    counted = matrix(reader, f'sum{by} ({function}({{service_name=~".+"}}[2m]))', **RANGE)
    # A label filter that always holds must be read for.
    read = matrix(reader, f'sum{by} ({function}({{service_name=~".+"}} | service_name!=""[2m]))', **RANGE)

    def total(series: dict[str, list[tuple[int, str]]]) -> dict[str, float]:
        return {key: round(sum(float(value) for _, value in values), 6) for key, values in series.items()}

    assert total(counted) == total(read)


def test_a_count_is_of_the_range_before_each_point(reader: APIClient) -> None:
    query = 'count_over_time({service_name="grading"} | instance="g-1" [2m])'

    (values, more) = matrix(reader, query, **RANGE).values()

    assert sorted([values, more]) == [[(1, "1"), (0, "1")], [(3, "1"), (2, "1")]]


def test_metrics_are_aggregated_and_computed_with(reader: APIClient) -> None:
    inner = 'sum by (service_name, level) (count_over_time({service_name=~".+"}[1h]))'
    at = {"time": str(NOW_NS)}

    def value(query: str) -> list[tuple[dict[str, str], str]]:
        return [
            (each["metric"], each["value"][1]) for each in ask(reader, "query", query=query, **at)["data"]["result"]
        ]

    assert value(f"max({inner})") == [({}, "2")]
    assert value(f"count({inner})") == [({}, "4")]
    assert sorted(value(f"sum by (service_name) ({inner}) * 10"), key=str) == [
        ({"service_name": "grading"}, "30"),
        ({"service_name": "shop"}, "20"),
    ]
    assert sorted(value(f"sum without (level) ({inner})"), key=str)[0] == ({"service_name": "grading"}, "3")
    assert value(f"sum({inner}) / 0") == []


def test_labels_and_their_values_are_listed(reader: APIClient) -> None:
    assert set(ask(reader, "labels")["data"]) >= {"service_name", "level", "instance", "host", "course"}
    assert ask(reader, "label/service_name/values")["data"] == ["grading", "shop"]
    assert ask(reader, "label/level/values", query='{service_name="grading"}')["data"] == ["error", "info"]
    assert ask(reader, "label/instance/values")["data"] == ["g-1", "g-2"]
    assert ask(reader, "label/course/values")["data"] == ["physics"]
    assert ask(reader, "label/nothing/values")["data"] == []


def test_series_are_the_streams_that_match(reader: APIClient) -> None:
    found = ask(reader, "series", **{"match[]": '{service_name="grading", level="info"}'})["data"]

    assert sorted(each["instance"] for each in found) == ["g-1", "g-2"]
    assert ask(reader, "index/stats", query='{service_name="grading"}')["entries"] == 3


@pytest.mark.parametrize(
    ("query", "word"),
    [
        ("", "missing"),
        ("{", "unexpected"),
        ('{a="b"} | line_format "x"', "col 23"),
        ('{a=~"("}', "regular expression"),
        ('rate({a="b"}[5])', "syntax error"),
        ('{a="b"} | json | x > "y"', "not a number"),
        ("vector(1)" + "+1" * 2000, "operations"),
        ("(" * 20 + "vector(1)" + ("+1" * 30 + ")") * 20, "operations"),
    ],
)
def test_a_wrong_query_says_what_is_wrong_in_plain_text(reader: APIClient, query: str, word: str) -> None:
    assert word in ask(reader, "query_range", status=400, query=query)


def test_wrong_parameters_are_answered_in_plain_text(reader: APIClient) -> None:
    query = '{service_name="grading"}'

    assert "limit" in ask(reader, "query_range", status=400, query=query, limit="many")
    assert "start" in ask(reader, "query_range", status=400, query=query, start="\uff11")
    assert "start" in ask(reader, "query_range", status=400, query=query, start="soon")
    assert "end timestamp" in ask(reader, "query_range", status=400, query=query, start="9", end="8")
    rates = f"sum(rate({query}[1m]))"
    assert "points" in ask(reader, "query_range", status=400, query=rates, step="0.1")
    assert "step" in ask(reader, "query_range", status=400, query=rates, step="\uff11")
    assert "step" in ask(reader, "query_range", status=400, query=rates, step="\uff11s")
    assert "syntax error" in ask(reader, "query_range", status=400, query=f"sum(rate({query}[\uff11m]))")
    assert "syntax error" in ask(reader, "query_range", status=400, query="vector(\uff11)")
    assert "log query" in ask(reader, "series", status=400, **{"match[]": "vector(1)"})


def test_points_beyond_the_limit_are_refused_before_they_are_made(reader: APIClient) -> None:
    wide = {"start": "1", "end": str(NOW_NS), "step": "0.001"}

    assert "points" in ask(reader, "query_range", status=400, query="vector(1)", **wide)


def test_the_points_of_all_series_together_are_limited(reader: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    by_reading = 'count_over_time({service_name=~".+"} | json [1m])'
    by_counts = 'sum by (level) (count_over_time({service_name=~".+"}[1m]))'
    monkeypatch.setattr(engine, "VALUES_AT_MOST", 12)

    for query in (by_reading, by_counts):
        assert "all series" in ask(reader, "query_range", status=400, query=query, **RANGE)
    assert matrix(reader, by_reading, **(RANGE | {"step": "240"}))


def test_what_a_query_reads_is_limited_in_all_its_parts_together(
    reader: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = 'sum(count_over_time({service_name=~".+"} | json [1h]))'
    monkeypatch.setattr(engine, "PAGE", 2)
    monkeypatch.setattr(engine, "READ_AT_MOST", 6)

    assert ask(reader, "query", query=part, time=str(NOW_NS))["data"]["result"]
    assert "too much" in ask(reader, "query", status=400, query=f"{part} + {part}", time=str(NOW_NS))
    assert ask(reader, "series", **{"match[]": '{service_name=~".+"}'})["data"]
    both = {"match[]": ['{service_name=~".+"}', '{service_name!=""}']}
    assert "too much" in ask(reader, "series", status=400, **both)
    monkeypatch.setattr(engine, "SECONDS_AT_MOST", -1.0)
    assert "too much" in ask(reader, "query", status=400, query=part, time=str(NOW_NS))


def test_a_token_sees_its_own_services_alone(db: None) -> None:
    shop = factories.caller("shop", "read:shop")

    assert len(bodies(shop, '{service_name=~".+"}')) == 2
    assert bodies(shop, '{service_name="grading"}') == []
    assert ask(shop, "label/service_name/values")["data"] == ["shop"]
    assert ask(shop, "label/instance/values")["data"] == []
    assert "course" not in ask(shop, "labels")["data"]
    assert list(matrix(shop, 'sum by (service_name) (count_over_time({service_name=~".+"}[5m]))', **RANGE)) == ["shop"]
    assert ask(factories.caller("w", "write"), "labels", status=403)


@settings(max_examples=examples(60), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    query=st.text(max_size=40)
    | st.lists(
        st.sampled_from(
            [
                '{a="b"}',
                "{",
                "|=",
                "`x`",
                "| json",
                "[1m]",
                "rate(",
                "sum by (level) (",
                ")",
                "vector(1)",
                "+",
                "| a>1",
                '"',
                "or",
            ]
        ),
        max_size=8,
    ).map(" ".join)
)
def test_no_query_is_answered_with_a_fault(reader: APIClient, query: str) -> None:
    answer = reader.get("/loki/api/v1/query_range", {"query": query, "step": "60"})

    assert answer.status_code in (200, 400), answer.content
