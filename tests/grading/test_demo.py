"""The demo course."""

from decimal import Decimal

import pytest
from django.db import transaction

from grading import demo, standings
from grading.models import Course, Grade, GradeChange, Status, Term
from tests.grading.factories import NOW

pytestmark = pytest.mark.django_db


def test_it_holds_a_course_of_thirty_with_most_of_their_grades() -> None:
    assert demo.load(now=NOW)
    plan = standings.read_plan(course=Course.objects.get(code="algebra-1"), with_unpublished=True)
    rows = standings.read_standings(plan=plan)
    assert (len(rows), len(plan.assignments), len(plan.categories)) == (30, 9, 3)
    assert plan.course.term == Term.objects.get()
    assert [section.enrollments.count() for section in plan.course.sections.all()] == [15, 15]
    assert all(row.current.percent is not None for row in rows)
    assert len({row.current.percent for row in rows}) > 20
    assert set(Grade.objects.values_list("status", flat=True)) == set(Status.values)
    assert 230 <= Grade.objects.count() < 270
    # Of the hidden quiz students see nothing, and only the totals with it count it.
    assert [each.title for each in plan.assignments.values() if not each.posted] == ["Quiz 3: Systems of equations"]
    assert sum(row.current.percent != row.unposted_current.percent for row in rows) > 20
    assert GradeChange.objects.count() == Grade.objects.count()


def test_loading_again_changes_nothing() -> None:
    assert demo.load(now=NOW)
    before = list(Grade.objects.values())
    assert not demo.load(now=NOW)
    assert list(Grade.objects.values()) == before


def test_it_is_the_same_every_time() -> None:
    def loaded() -> list[tuple[str, str, Decimal | None]]:
        with transaction.atomic():
            demo.load(now=NOW)
            grades = Grade.objects.order_by("student__username", "assignment__title")
            found = list(grades.values_list("student__username", "assignment__title", "score"))
            transaction.set_rollback(True)
        return found

    assert loaded() == loaded() != []
