"""Making courses and what is in them."""

from decimal import Decimal

import pytest

from config.problems import Conflict, Invalid, NotFound
from grading import courses, enrolling
from grading.drafts import AssignmentDraft, CategoryDraft, StudentDraft
from grading.models import Enrollment, Kind, Student
from tests.grading import factories
from tests.grading.factories import NOW

pytestmark = pytest.mark.django_db


def test_a_course_keeps_its_categories_in_the_order_given() -> None:
    course = factories.course()
    assert [category.title for category in course.categories.all()] == ["Homework", "Tests"]
    assert [each.username for each in course.enrollments.filter(role="teacher")] == [factories.TEACHER]


def test_a_code_is_taken_once() -> None:
    factories.course("algebra")
    with pytest.raises(Conflict, match="choose another code"):
        factories.course("algebra")


def test_enrolling_again_changes_nothing() -> None:
    course = factories.course()
    first = factories.student(course, "ada")
    again, is_new = enrolling.enrol(course=course, draft=StudentDraft(name="Ada", username="ada"), now=NOW)
    assert (again, is_new) == (first, False)
    assert Enrollment.objects.filter(role="student").count() == 1


def test_a_student_who_is_known_keeps_the_name_they_have() -> None:
    factories.student(factories.course("algebra"), "ada")
    draft = StudentDraft(name="Somebody Else", username="ada")
    student, is_new = enrolling.enrol(course=factories.course("geometry"), draft=draft, now=NOW)
    assert (student.name, is_new) == ("Ada", True)
    assert Student.objects.count() == 1


def test_an_assignment_without_a_position_comes_last() -> None:
    course = factories.course()
    positions = [factories.assignment(course, title).position for title in ("One", "Two")]
    factories.assignment(course, "Far", position=7)
    assert [*positions, factories.assignment(course, "Three").position] == [0, 1, 8]


def test_an_assignment_needs_a_category_of_its_own_course() -> None:
    foreign = factories.category(factories.course("geometry"))
    draft = AssignmentDraft(title="Essay", category=foreign.pk, points=Decimal(10))
    with pytest.raises(Invalid) as caught:
        courses.create_assignment(course=factories.course("algebra"), draft=draft)
    assert caught.value.errors is not None
    assert caught.value.errors[0]["pointer"] == "/category"


def test_a_title_is_taken_once_in_a_category() -> None:
    course = factories.course()
    factories.assignment(course, "Essay")
    factories.assignment(course, "Essay", kind=Kind.TEST)
    with pytest.raises(Conflict, match="choose another title"):
        factories.assignment(course, "Essay")


def test_an_unpublished_assignment_is_found_only_by_those_who_may_see_it() -> None:
    course = factories.course()
    draft = factories.assignment(course, published=False)
    assert courses.find_assignment(course=course, assignment_id=draft.pk, with_unpublished=True) == draft
    with pytest.raises(NotFound):
        courses.find_assignment(course=course, assignment_id=draft.pk, with_unpublished=False)


def test_neither_students_nor_assignments_of_other_courses_are_found() -> None:
    course, other = factories.course("algebra"), factories.course("geometry")
    with pytest.raises(NotFound):
        courses.find_student(course=course, student_id=factories.student(other).pk)
    with pytest.raises(NotFound):
        courses.find_assignment(course=course, assignment_id=factories.assignment(other).pk, with_unpublished=True)


def test_no_course_grows_beyond_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """One teacher's course would keep the service from everybody else's."""
    monkeypatch.setattr(courses, "MOST_CATEGORIES", 2)
    monkeypatch.setattr(courses, "MOST_ASSIGNMENTS", 1)
    course = factories.course()
    factories.assignment(course)
    with pytest.raises(Conflict, match="2 categories, and no course has more"):
        courses.create_category(course=course, draft=CategoryDraft(title="Third", kind=Kind.QUIZ))
    with pytest.raises(Conflict, match="1 assignments, and no course has more"):
        factories.assignment(course, "Second")
