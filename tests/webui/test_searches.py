import pytest
from hypothesis import given
from hypothesis import strategies as st

from logsvc.query import ast, parser
from webui import searches
from webui.searches import Search


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("", []),
        ("disk full", ["disk", "full"]),
        ('"disk full" -other', ["disk full"]),
        ("level>=warn service:a attr.order:7 disk*", ["disk"]),
        ("(a OR b) NOT c", ["a", "b", "c"]),
    ],
)
def test_the_words_to_mark_are_those_of_the_text_itself(query: str, words: list[str]) -> None:
    assert searches.words(query) == words


@given(st.text(min_size=1, max_size=40).filter(lambda text: text.strip() and "\0" not in text))
def test_a_click_on_any_value_makes_a_query_that_means_that_value(value: str) -> None:
    query = f"service:{searches.quoted(value)}"
    assert parser.parse(query) == ast.Equals(ast.Field.SERVICE, value)


@given(st.text(max_size=60))
def test_anything_typed_can_be_marked_and_completed(query: str) -> None:
    assert all(word in query for word in searches.words(query))
    assert all(option.startswith(query) for option in searches.completions(query, known={}))


def test_a_range_and_two_times_exclude_each_other() -> None:
    search = Search(query="a", range="1h")
    assert (search.span.start, search.span.end) == ("-1h", "")
    assert search.address(**{"from": "-2h"}) == "q=a&from=-2h"
    assert Search(query="a", start="-2h").span.start == "-2h"
    assert Search(range="all").span.start == ""
