import pytest
from django.db import connection

from logsvc import query
from logsvc.query import Question
from tests.logsvc import factories
from tests.logsvc.factories import entry

pytestmark = pytest.mark.django_db


def plan(question: Question) -> str:
    return query._matching(question).order_by("-id")[:10].explain()


@pytest.mark.skipif(connection.vendor != "sqlite", reason="a planner with statistics may rightly choose otherwise")
@pytest.mark.parametrize(
    ("question", "index"),
    [
        (Question(service="grading"), "record_of_service"),
        (Question(level=30), "record_alarming"),
        (Question(level=40), "record_alarming"),
        (Question(), "SCAN logsvc_record"),
    ],
)
def test_the_newest_are_found_by_an_index_without_sorting(question: Question, index: str) -> None:
    explained = plan(question)

    assert index in explained
    assert "TEMP B-TREE" not in explained


def test_the_last_page_has_no_next() -> None:
    factories.keep(*(entry(str(number)) for number in range(4)))

    assert query.newest(Question(limit=4)).next is None
    assert query.newest(Question(limit=3)).next is not None


def test_a_text_with_the_databases_wildcards_is_taken_as_it_is() -> None:
    factories.keep(entry("100% done"), entry("100 done"), entry("a_b"), entry("aXb"))

    assert [record.message for record in query.newest(Question(text="0%")).records] == ["100% done"]
    assert [record.message for record in query.newest(Question(text="a_b")).records] == ["a_b"]
