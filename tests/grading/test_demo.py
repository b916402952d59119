"""The demo course."""

import pytest

from grading import demo, standings
from grading.models import Assignment, Course, Grade, GradeChange
from tests.grading.factories import NOW

pytestmark = pytest.mark.django_db


def test_it_holds_a_course_of_thirty_with_most_of_their_grades() -> None:
    assert demo.load(now=NOW)
    plan = standings.read_plan(course=Course.objects.get(code="algebra-1"), with_unpublished=True)
    rows = standings.read_standings(plan=plan)
    assert (len(rows), len(plan.assignments), len(plan.categories)) == (30, 8, 3)
    assert all(row.current.percent is not None for row in rows)
    assert len({row.current.percent for row in rows}) > 20
    assert Grade.objects.filter(excused=True).count() == 1
    assert 200 <= Grade.objects.count() < 240
    assert GradeChange.objects.count() == Grade.objects.count()


def test_loading_again_changes_nothing() -> None:
    assert demo.load(now=NOW)
    before = list(Grade.objects.values())
    assert not demo.load(now=NOW)
    assert list(Grade.objects.values()) == before


def test_it_is_the_same_every_time() -> None:
    demo.load(now=NOW)
    first = list(Grade.objects.order_by("pk").values_list("student__username", "assignment__title", "score"))
    GradeChange.objects.all().delete()
    Grade.objects.all().delete()
    Assignment.objects.all().delete()
    Course.objects.all().delete()
    demo.load(now=NOW)
    assert list(Grade.objects.order_by("pk").values_list("student__username", "assignment__title", "score")) == first
