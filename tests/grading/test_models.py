"""Constraints that the database itself keeps."""

from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.db.models import Model

from grading.models import Enrollment, Grade, GradeChange, Student
from tests.grading import factories
from tests.grading.factories import NOW

pytestmark = pytest.mark.django_db


def refuses(model: type[Model], **members: Any) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        model._default_manager.create(**members)


@pytest.mark.parametrize(
    "members",
    [
        {"role": "teacher", "username": ""},
        {"role": "student", "username": "ada"},
        {"role": "observer", "username": "eve"},
        {"role": "dean", "username": "eve"},
        {"role": "teacher", "username": "eve", "state": "gone"},
        {"role": "teacher", "username": factories.TEACHER},
        {"role": "assistant", "username": factories.TEACHER},
    ],
)
def test_an_enrollment_names_its_person_once(members: dict[str, Any]) -> None:
    refuses(Enrollment, course=factories.course(), enrolled_at=NOW, **members)


@pytest.mark.parametrize(
    "members",
    [
        {"score": -1},
        {"status": "lost"},
        {"version": 0},
        {"late_deduction": 1},
        {"status": "late", "late_deduction": -1},
    ],
)
def test_a_grade_that_cannot_be_is_refused(members: dict[str, Any]) -> None:
    course = factories.course()
    student, assignment = factories.student(course), factories.assignment(course)
    refuses(Grade, student=student, assignment=assignment, updated_at=NOW, updated_by="x", **members)


def test_a_sis_id_is_one_students() -> None:
    Student.objects.create(name="Ada", username="ada", sis_id="0031")
    refuses(Student, name="Bob", username="bob", sis_id="0031")
    refuses(Student, name="Bob", username="bob", sis_id="")


def test_history_is_neither_changed_nor_deleted() -> None:
    course = factories.course()
    factories.grade(factories.student(course), factories.assignment(course), "7")
    for change in (
        lambda: GradeChange.objects.update(author="eve"),
        lambda: GradeChange.objects.all().delete(),
    ):
        with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
            change()
    assert GradeChange.objects.get().author == factories.TEACHER
