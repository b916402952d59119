import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logsvc import bounds
from logsvc.query import ast
from logsvc.query.ast import All, AnyOf, AttributeIs, Comparison, Equals, Field, LevelIs, Not, Query, Words
from logsvc.query.parser import WrongQuery, parse
from tests.logsvc.strategies import steady

A, B, C = Words("a"), Words("b"), Words("c")


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("", ast.EVERYTHING),
        ("*", ast.EVERYTHING),
        ("a b", All((A, B))),
        ("a AND b", All((A, B))),
        ("a OR b c", AnyOf((A, All((B, C))))),
        ("(a OR b) c", All((AnyOf((A, B)), C))),
        ("-a", Not(A)),
        ("NOT (a OR b)", Not(AnyOf((A, B)))),
        ("NOTE ORDER", All((Words("NOTE"), Words("ORDER")))),
        ('"timed out"', Words("timed out")),
        (r'"say \"hi\" in C:\tmp"', Words(r'say "hi" in C:\tmp')),
        ("error*", Words("error", is_prefix=True)),
        ('"timed ou"*', Words("timed ou", is_prefix=True)),
        ("level>=warn", LevelIs(Comparison.AT_LEAST, 13)),
        ("level:error", LevelIs(Comparison.EQUAL, 17)),
        ("LEVEL < Warning", LevelIs(Comparison.BELOW, 13)),
        ("service:grading", Equals(Field.SERVICE, "grading")),
        ("service:team-*", Equals(Field.SERVICE, "team-", is_prefix=True)),
        ('host:"a b"', Equals(Field.HOST, "a b")),
        ("trace:4BF9*", Equals(Field.TRACE, "4bf9", is_prefix=True)),
        ("uid:01935A00-0000-7000-8000-0000000000AA", Equals(Field.UID, "01935a000000700080000000000000aa")),
        ("uid:order-4711", Equals(Field.UID, bounds.uid("order-4711"))),
        ("uid:01935A00-*", Equals(Field.UID, "01935a00", is_prefix=True)),
        ("attr.order:7", AttributeIs("order", "7")),
        ("attr.delta:-5", AttributeIs("delta", "-5")),
        ("attr.http.status:500", AttributeIs("http.status", "500")),
        ('attr."a b":c', AttributeIs("a b", "c")),
        ("attr.order:*", ast.HasAttribute("order")),
        ("100%_", Words("100%_")),
    ],
)
def test_a_query_means(text: str, query: Query) -> None:
    assert parse(text) == query


@pytest.mark.parametrize(
    ("text", "position", "what"),
    [
        ("(a", 3, "the query ends here; expected ')'"),
        ("a)", 2, "')' cannot stand here"),
        ('a "b', 3, "the quotes are not closed"),
        ("a foo:b", 3, "there is no field 'foo'"),
        ("level>=loud", 8, "'loud' is not a level; use one of"),
        ("service:", 9, 'the query ends here; expected a text in "quotes" or a value'),
        ("a AND", 6, "expected a word"),
        ("()", 2, "')' cannot stand here"),
        ("a -", 3, "'-' cannot stand here"),
        ('""', 1, "the text in quotes is empty"),
        ("attr.:1", 1, "needs the name of an attribute"),
        ("a\0", 2, "U+0000"),
        ("(" * 21 + "a" + ")" * 21, 21, "nested too deep"),
        ("(" + "-" * 1900 + "a)", 2, "nested too deep"),
        ("a " * 65, 1, "it has 65 terms"),
        ("a" * 2001, 2001, "2001 characters"),
    ],
)
def test_a_wrong_query_says_where_and_what(text: str, position: int, what: str) -> None:
    with pytest.raises(WrongQuery) as caught:
        parse(text)

    assert caught.value.members["position"] == position
    assert what in caught.value.detail


@steady
@given(st.text(max_size=60) | st.text('ab"()-:*\\ ANDORT.levl<>=', max_size=60))
def test_any_text_is_a_query_or_wrong(text: str) -> None:
    with contextlib.suppress(WrongQuery):
        parse(text)
