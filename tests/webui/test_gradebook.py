from datetime import date

import pytest
from django.http import QueryDict

from webui import gradebook
from webui.gradebook import Filters, Order, Work
from webui.upstream.grading_answers import Assignment, Course, Grade, Gradebook, Status, StudentRow, Total

TODAY = date(2026, 11, 29)
ESSAY = Assignment(id=1, title="Essay", category=1, points="10", due_on=date(2026, 11, 1))
TEST = Assignment(id=2, title="Test", category=2, points="100", due_on=date(2026, 12, 9))


def row(number: int, name: str, *grades: Grade, percent: str | None = None, section: int | None = None) -> StudentRow:
    return StudentRow(id=number, name=name, grades=list(grades), current=Total(percent=percent), section=section)


BOOK = Gradebook(
    course=Course(code="math-1", title="Mathematics I"),
    categories=[],
    assignments=[ESSAY, TEST],
    students=[
        row(1, "Ada Lovelace", Grade(score="9"), Grade(), percent="90", section=1),
        row(2, "Alan Turing", Grade(), Grade(score="70"), percent="70"),
        row(3, "Édouard Lucas", Grade(status=Status.EXCUSED), Grade(status=Status.MISSING)),
        row(4, "Grace Hopper", Grade(score="10"), Grade(score="100"), percent="100", section=1),
    ],
)


def shown(**filters: str) -> list[int]:
    query = QueryDict(mutable=True)
    query.update(filters)
    return [each.id for each in gradebook.excerpt(BOOK, gradebook.read_filters(query), today=TODAY).rows]


@pytest.mark.parametrize(
    ("filters", "students"),
    [
        ({}, [1, 2, 3, 4]),
        ({"q": "turing"}, [2]),
        ({"q": "E luc"}, [3]),
        ({"q": "edouard"}, [3]),
        ({"q": "<b>"}, []),
        ({"section": "1"}, [1, 4]),
        ({"work": "missing"}, [2, 3]),
        ({"work": "ungraded"}, [1, 2, 3]),
        ({"work": "ungraded", "category": "1"}, [2]),
        ({"order": "lowest"}, [2, 1, 4, 3]),
        ({"order": "highest"}, [4, 1, 2, 3]),
    ],
)
def test_rows_are_filtered_and_ordered(filters: dict[str, str], students: list[int]) -> None:
    assert shown(**filters) == students


def test_a_category_shows_its_columns_alone() -> None:
    found = gradebook.excerpt(BOOK, Filters(category=2), today=TODAY)
    assert found.assignments == [TEST]
    assert [each.grades for each in found.rows][1] == [Grade(score="70")]


def test_unknown_filters_filter_nothing() -> None:
    query = QueryDict("section=x&category=%D9%A3&work=lazy&order=__class__")
    assert gradebook.read_filters(query) == Filters(work=Work.ANY, order=Order.NAME)
