"""The contract of every store: on SQLite, and by `-p tests.on_postgresql` and `-m tests.clickhouse` on theirs."""

from typing import Any

import pytest
from django.db import OperationalError
from hypothesis import given
from hypothesis import strategies as st

from logsvc import ordering, severity
from logsvc.query import ast, parser
from logsvc.query.ast import Query
from logsvc.query.matching import matches
from logsvc.record import EXCEPTION_STACKTRACE, NANOSECONDS, Record
from logsvc.storage import conditions, head, indexed
from logsvc.storage.conditions import compile_query, named_services
from logsvc.storage.current import store
from logsvc.storage.errors import Full
from logsvc.storage.interface import ALWAYS, Expiry, Range, Search
from logsvc.storage.sqlite import SqliteStore
from tests.logsvc import factories
from tests.logsvc.factories import DAY_NS, NOW_NS, arrivals, found, keep, keep_each, record
from tests.logsvc.strategies import exact_json, steady, texts

pytestmark = pytest.mark.django_db
MS = 1_000_000


def test_records_are_found_by_their_own_time_and_ties_by_arrival() -> None:
    keep(record("second", time_ns=NOW_NS + 5), record("third", time_ns=NOW_NS + 5))
    keep(record("late", time_ns=NOW_NS - DAY_NS), record("fourth", time_ns=NOW_NS + 5))
    keep(record("first", time_ns=NOW_NS - 5 * MS))

    assert found() == ["fourth", "third", "second", "first", "late"]
    assert arrivals() == ["second", "third", "late", "fourth", "first"]


def test_ten_thousand_of_one_nanosecond_keep_the_order_of_their_arrival() -> None:
    for start in range(0, 10_000, 2500):
        keep(*(record(str(number)) for number in range(start, start + 2500)))

    pages, before = [], None
    while True:
        page = store().search(Search(limit=1000, before=before))
        pages += [each.body for each in page.records]
        before = page.next
        if before is None:
            break
    assert pages == [str(number) for number in reversed(range(10_000))]


def test_a_page_ends_where_its_records_take_much_memory_however_short_they_are_as_text() -> None:
    nested: dict[str, Any] = {"a": [[{}] * 500] * 40}
    keep(*(record(f"large {number}", attributes=nested) for number in range(40)), record("small"))

    page = store().search(Search(limit=1000))
    counted = store().facets(query=ast.EVERYTHING, within=ALWAYS, fields=["level"])
    pages, before = list(page.records), page.next
    while before is not None:
        page = store().search(Search(limit=1000, before=before))
        pages, before = pages + page.records, page.next

    assert len(page.records) < 20
    assert (counted.counted < 20, counted.is_complete) == (True, False)
    assert len(pages) == 41
    assert len(store().tail(after_seq=0, limit=1000).records) < 10
    assert len(store().context(pages[-1], before=0, after=1000)[1]) < 10


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("service:a", {"a"}),
        ("service:a level>=warn", {"a"}),
        ("service:a OR service:b", {"a", "b"}),
        ("service:a service:b", set()),
        ("service:a* service:b", {"b"}),
        ("service:a OR level>=warn", None),
        ("service:a*", None),
        ("-service:a", None),
        ("", None),
    ],
)
def test_the_services_that_a_query_names(query: str, named: set[str] | None) -> None:
    keep(*(record("x", service=service, severity=9 + 8 * (service == "b")) for service in ("a", "b", "c", "d")))
    within = Range(from_ns=NOW_NS, to_ns=NOW_NS + 60 * NANOSECONDS)

    counted = store().histogram(query=parser.parse(query), within=within, step_ns=60 * NANOSECONDS)

    assert named_services(parser.parse(query)) == named
    assert sum(counted.counts[0].values()) == len(found(query))


def test_a_prefix_of_more_services_than_are_named_one_by_one_finds_them_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conditions, "SERVICES_AT_MOST", 2)
    keep(*(record(service, service=service) for service in ("team-a", "team-b", "team-c", "other")))

    assert found("service:team-*") == ["team-c", "team-b", "team-a"]
    assert found("service:team-c*") == ["team-c"]


def test_a_time_that_cannot_be_true_is_kept_and_ordered_by_arrival() -> None:
    keep(record("before"), received_ns=NOW_NS)
    keep(
        record("2199", time_ns=7_226_582_400 * NANOSECONDS),
        record("1970", time_ns=5 * NANOSECONDS),
        record("ahead", time_ns=NOW_NS + 3600 * NANOSECONDS),
        received_ns=NOW_NS + MS,
    )
    keep(record("after", time_ns=NOW_NS + 2 * MS), received_ns=NOW_NS + 2 * MS)

    assert found() == ["after", "ahead", "1970", "2199", "before"]
    assert factories.stored("2199")[0].time_ns == 7_226_582_400 * NANOSECONDS


def test_pages_never_jump_or_repeat_while_others_arrive() -> None:
    keep_each(str(number) for number in range(5))
    first = store().search(Search(limit=2))
    keep(record("late", time_ns=NOW_NS + 1500), record("new", time_ns=NOW_NS + DAY_NS), received_ns=NOW_NS + DAY_NS)
    second = store().search(Search(limit=2, before=first.next))
    third = store().search(Search(limit=2, before=second.next))

    assert [[each.body for each in page.records] for page in (first, second, third)] == [
        ["4", "3"],
        ["2", "1"],
        ["late", "0"],
    ]
    assert third.next is None


def test_a_known_uid_is_kept_as_it_was_first() -> None:
    uid = factories.new_uid()

    assert keep(record("first", uid=uid), record("twice in a batch", uid=uid)) == 1
    assert keep(record("again", uid=uid, time_ns=NOW_NS - DAY_NS), record("new")) == 1
    assert sorted(found()) == ["first", "new"]
    assert found(f"uid:{uid}") == ["first"]


def test_nobody_has_anothers_record_left_out_by_sending_its_uid_first() -> None:
    uid, other = factories.new_uid(), factories.new_uid()
    keep(record("guessed", uid=uid, service="shop"))

    assert (
        keep(record("genuine", uid=uid), record("in a batch", uid=other, service="shop"), record("x", uid=other)) == 3
    )
    assert keep(record("guessed again", uid=uid, service="shop")) == 0

    assert sorted(found()) == ["genuine", "guessed", "in a batch", "x"]
    assert found(f"uid:{uid}") == ["guessed"]
    (genuine,) = factories.stored("genuine")
    assert (genuine.uid, len(genuine.notes)) == ("", 1)
    store().delete(factories.stored())
    assert keep(record("genuine", uid=uid)) == 1


def test_a_uid_of_what_was_deleted_is_free_again() -> None:
    uid = factories.new_uid()
    keep(record("first", uid=uid))
    store().delete(factories.stored())

    assert keep(record("again", uid=uid)) == 1


@steady
@given(
    time=st.integers(ordering.EARLIEST_NS, NOW_NS),
    number=st.integers(0, 24),
    names=st.tuples(texts, texts, texts, texts),
    body=texts,
    attributes=st.dictionaries(texts, exact_json, max_size=4),
)
def test_what_is_read_back_is_what_was_kept(
    time: int, number: int, names: tuple[str, str, str, str], body: str, attributes: dict[str, Any]
) -> None:
    service, instance, logger, host = names
    given = Record(
        time_ns=time,
        observed_ns=time + 1,
        severity=number,
        severity_text="Odd",
        service=service,
        instance=instance,
        logger=logger,
        host=host,
        body=body,
        attributes=attributes,
        trace_id="4bf92f3577b34da6a3ce929d0e0e4736",
        span_id="00f067aa0ba902b7",
        uid=factories.new_uid(),
        token="t",
        notes=["cut"],
    )

    keep(given)

    (kept,) = store().search(Search(query=ast.Equals(ast.Field.UID, given.uid))).records
    assert {name: getattr(kept, name) for name in given.__struct_fields__} == {
        name: getattr(given, name) for name in given.__struct_fields__
    }
    assert kept.received_ns == NOW_NS
    assert store().get(kept.id) == kept


WORDS = ["timed out", "error", "Straße", "ÉCOLE", "Привет", "100%_done", r"C:\tmp", '"q"', "東京タワー", "a_b", "x"]
bodies = st.lists(st.sampled_from([*WORDS, "healthz", "out", "-"]), min_size=1, max_size=4).map(" ".join)
records = st.builds(
    record,
    bodies,
    severity=st.sampled_from([0, 1, 9, 13, 17, 21]),
    service=st.sampled_from(["grading", "web ui", "billing"]),
    instance=st.sampled_from(["", "a", "b"]),
    host=st.sampled_from(["", "h1"]),
    attributes=st.dictionaries(
        st.sampled_from(["order", "a.b", "a", EXCEPTION_STACKTRACE]),
        st.sampled_from([7, "7", "Straße", True, None, 0.5, {"b": "deep"}, [1]]),
        max_size=3,
    ),
)
leaves = st.one_of(
    st.builds(
        ast.Words, st.sampled_from([*WORDS, "strasse", "e\u0301cole", "привет", "京タ", "%", "\\"]), st.booleans()
    ),
    st.builds(ast.Contains, st.sampled_from(["rro", "ß", "%", "IMED"]), st.booleans()),
    st.builds(ast.Equals, st.just(ast.Field.SERVICE), st.sampled_from(["grading", "web ui", "b", ""]), st.booleans()),
    st.builds(
        ast.Equals,
        st.sampled_from([ast.Field.INSTANCE, ast.Field.HOST]),
        st.sampled_from(["a", "h1", ""]),
        st.booleans(),
    ),
    st.builds(ast.LevelIs, st.sampled_from(list(ast.Comparison)), st.sampled_from([0, 1, 9, 13, 21])),
    st.builds(
        ast.AttributeIs,
        st.sampled_from(["order", "a.b", "a"]),
        st.sampled_from(["7", "STRASSE", "deep", "d", "true"]),
        st.booleans(),
    ),
    st.builds(ast.HasAttribute, st.sampled_from(["order", "a.b", "a", "none"])),
    st.builds(
        ast.MatchesPattern, st.sampled_from(["tim.d", "^error", "g.*"]), st.sampled_from([None, ast.Field.SERVICE])
    ),
)


def combined(parts: st.SearchStrategy[Query]) -> st.SearchStrategy[Query]:
    return st.one_of(
        parts,
        st.builds(ast.Not, parts),
        st.builds(lambda some: ast.All(tuple(some)), st.lists(parts, min_size=1, max_size=3)),
        st.builds(lambda some: ast.AnyOf(tuple(some)), st.lists(parts, max_size=3)),
    )


queries = combined(combined(leaves))


@steady
@given(given=st.lists(records, min_size=1, max_size=8), query=queries)
def test_a_search_finds_exactly_what_matches_and_a_histogram_counts_it(given: list[Record], query: Query) -> None:
    store().delete(factories.stored())
    store().forget()
    for number, each in enumerate(given):
        each.time_ns = NOW_NS + number * MS
    keep(*given)
    wanted = [each for each in given if matches(query, each)]

    assert [each.body for each in store().search(Search(query=query)).records] == [each.body for each in wanted][::-1]
    within = Range(from_ns=NOW_NS, to_ns=NOW_NS + 1000 * MS)
    for step_ns in (NANOSECONDS, 60 * NANOSECONDS):
        counted = store().histogram(query=query, within=within, step_ns=step_ns)
        levels: dict[str, int] = {}
        for each in wanted:
            name = severity.range_of(each.severity).name
            levels[name] = levels.get(name, 0) + 1
        assert counted.counts[0] == levels
        assert counted.is_complete


@pytest.mark.parametrize(
    ("query", "finds"),
    [
        ("привет", True),
        ("école", True),
        ("e\u0301cole", True),
        ("STRASSE", True),
        ("100%_done", True),
        ("100%_", False),
        ("%", True),
        (r"C:\tmp", True),
        ('"C:\\tmp"', True),
        ("'q'", True),
        (r'"\"q\""', True),
        ("tmp", True),
        ("tm", False),
        ("tm*", True),
    ],
)
def test_words_are_found_in_any_alphabet_and_special_characters_are_literal(query: str, finds: bool) -> None:
    keep(record(r"""Привет ÉCOLE Straße 100%_done C:\tmp "q" 'q'"""), record("nothing of it"))

    if query == r"C:\tmp":
        with pytest.raises(parser.WrongQuery, match="no field 'C'"):
            parser.parse(query)
    else:
        assert len(found(query)) == finds


def test_a_beginning_of_one_letter_is_looked_for_without_the_index() -> None:
    keep_each(["an error", "an order", "one Error more"])

    assert found("e*") == ["one Error more", "an error"]
    assert found('"an o"*') == ["an order"]
    assert compile_query(parser.parse("e*"), list).node is None


def test_a_phrase_does_not_reach_from_the_message_into_the_exception() -> None:
    keep(record("it timed", attributes={EXCEPTION_STACKTRACE: "out of memory"}))

    assert found('"timed out"') == []
    assert found("timed memory") == ["it timed"]


def test_what_comes_before_and_after_is_of_the_same_instance() -> None:
    keep_each("abc", instance="one")
    keep(record("other", instance="two"), record("other service", service="webui", instance="one"))
    middle = factories.stored("b")[0]

    before, after = store().context(middle, before=5, after=5)

    assert ([each.body for each in before], [each.body for each in after]) == (["a"], ["c"])


def test_a_tail_goes_on_where_it_was_and_filters() -> None:
    keep_each("abc")
    first = store().tail(after_seq=0, limit=2)
    keep(record("late", time_ns=NOW_NS - DAY_NS))

    second = store().tail(after_seq=first.cursor, query=parser.parse("late"))

    assert [each.body for each in first.records] == ["a", "b"]
    assert [each.body for each in second.records] == ["late"]
    assert second.cursor == store().head()
    assert store().tail(after_seq=second.cursor).cursor == second.cursor


def test_a_tail_says_when_retention_has_deleted_what_came_after_its_cursor() -> None:
    keep_each("abc")
    store().delete(factories.stored("b"))

    assert not store().tail(after_seq=1).is_gapless
    assert store().tail(after_seq=2).is_gapless
    keep(record("d"))
    assert store().tail(after_seq=2).cursor == 4, "a number is never given twice"


def test_counts_follow_what_is_stored_and_deleted() -> None:
    keep_each("ab")
    keep_each("cd", service="webui", severity=17)
    assert store().services() == {"grading": 2, "webui": 2}
    assert [(each.service, each.level, each.records) for each in store().usage()] == [
        ("grading", "INFO", 2),
        ("webui", "ERROR", 2),
    ]

    store().delete(factories.stored("service:webui"))

    assert store().services() == {"grading": 2}
    assert found("c") == []
    (usage,) = store().usage()
    assert (usage.service, usage.stored_bytes > 0) == ("grading", True)


def test_facets_count_values_and_attributes() -> None:
    keep_each("abc", attributes={"order": 7})
    keep_each("d", severity=17, attributes={"order": "8"})

    facets = store().facets(query=ast.EVERYTHING, within=ALWAYS, fields=["level", "service", "attr.order", "host"])

    assert facets.values == {
        "level": [("INFO", 3), ("ERROR", 1)],
        "service": [("grading", 4)],
        "attr.order": [("7", 3), ("8", 1)],
        "host": [],
    }
    assert (facets.counted, facets.is_complete) == (4, True)
    assert store().attribute_names(within=ALWAYS) == ["order"]


def test_what_is_expired_is_old_by_its_own_time_and_by_its_arrival() -> None:
    keep(record("old", time_ns=NOW_NS - 20 * DAY_NS), received_ns=NOW_NS - 20 * DAY_NS)
    keep(record("imported", time_ns=NOW_NS - 20 * DAY_NS), record("new"))
    expiry = Expiry(service="grading", level="INFO", before_ns=NOW_NS - DAY_NS)

    assert [each.body for each in store().expired(expiry, after=None, limit=10).records] == ["old"]


def test_a_range_of_times_begins_inclusively_and_ends_exclusively() -> None:
    keep_each("abc")

    within = Range(from_ns=NOW_NS + MS, to_ns=NOW_NS + 2 * MS)

    assert found(within=within) == ["b"]


def test_a_disk_that_is_full_is_said_so(monkeypatch: pytest.MonkeyPatch) -> None:
    if not isinstance(store(), SqliteStore):
        pytest.skip("the others' own error is by its code")

    def fail(*_: object) -> None:
        raise OperationalError("database or disk is full")

    monkeypatch.setattr(head, "take", fail)

    with pytest.raises(Full):
        keep(record())


def test_a_uid_or_an_id_that_can_be_none_finds_nothing() -> None:
    keep(record())

    assert found("uid:nonsense") == []
    assert found("trace:nonsense") == []
    assert store().get(2**63 - 1) is None


def test_a_page_of_large_records_ends_early_and_is_gone_on_from(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(indexed, "PAGE_BYTES", 100_000)
    keep_each(f"{number} {'x' * 30_000}" for number in range(10))

    pages, before = [], None
    while True:
        page = store().search(Search(limit=1000, before=before))
        pages.append([each.body.split()[0] for each in page.records])
        before = page.next
        if before is None:
            break

    assert [number for page in pages for number in page] == [str(number) for number in reversed(range(10))]
    assert max(map(len, pages)) == 4


def test_a_tail_reads_many_in_turns() -> None:
    keep_each(str(number) for number in range(500))

    assert [each.body for each in store().tail(after_seq=100, limit=350).records] == [str(n) for n in range(100, 450)]
