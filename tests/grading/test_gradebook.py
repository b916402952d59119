"""Storing grades."""

import logging
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase
from pytest_django import DjangoCaptureOnCommitCallbacks

from config.problems import NotFound, PreconditionFailed, PreconditionRequired
from grading import courses, gradebook
from grading.access import Actor
from grading.drafts import CoursePatch, GradeDraft, GradePatch
from grading.gradebook import AbovePoints
from grading.models import Assignment, Course, Grade, GradeChange, Kind, Scheme, Status, Student
from tests.grading import factories
from tests.grading.factories import NOW, TEACHER

LATER = NOW + timedelta(minutes=5)


@pytest.fixture
def ada(db: None) -> Student:
    return factories.student(factories.course())


@pytest.fixture
def essay(ada: Student) -> Assignment:
    return factories.assignment(ada.enrollments.get().course)


def record(
    student: Student, assignment: Assignment, draft: GradeDraft | GradePatch, expected_version: int | None
) -> Grade:
    stored, _ = gradebook.record_grade(
        student_id=student.pk,
        assignment=assignment,
        patch=draft,
        expected_version=expected_version,
        actor=Actor.person("mr-park"),
        now=LATER,
    )
    return stored.grade


def test_a_first_grade_has_version_one_its_author_and_its_time(ada: Student, essay: Assignment) -> None:
    grade = record(ada, essay, GradeDraft(score=Decimal("9.5")), 0)
    grade.refresh_from_db()
    assert (grade.score, grade.version) == (Decimal("9.50"), 1)
    assert (grade.updated_by, grade.updated_at) == ("mr-park", LATER)


def test_every_change_is_kept_with_what_was_before_and_after(ada: Student, essay: Assignment) -> None:
    factories.grade(ada, essay, "8")
    record(ada, essay, GradeDraft(score=None, excused=True, comment="ill"), 1)
    first, second = gradebook.history(student=ada, assignment=essay)
    assert (first.version, first.author, first.at) == (1, TEACHER, NOW)
    assert (first.score_before, first.score_after) == (None, Decimal(8))
    assert (second.version, second.author, second.at) == (2, "mr-park", LATER)
    assert (second.score_before, second.score_after) == (Decimal(8), None)
    assert (second.status_before, second.status_after) == ("none", "excused")
    assert (second.comment_before, second.comment_after) == ("", "ill")


def test_a_stale_version_is_refused_and_carries_the_stored_grade(ada: Student, essay: Assignment) -> None:
    factories.grade(ada, essay, "8")
    record(ada, essay, GradeDraft(score=Decimal(9)), 1)
    with pytest.raises(PreconditionFailed) as caught:
        record(ada, essay, GradeDraft(score=Decimal(7)), 1)
    assert caught.value.members["theirs"]["score"] == "9"
    assert caught.value.members["theirs"]["version"] == 2
    assert Grade.objects.get().score == Decimal(9)
    assert GradeChange.objects.count() == 2


@pytest.mark.parametrize("expected_version", [1, 7])
def test_a_version_of_a_grade_that_is_not_there_is_refused(
    ada: Student, essay: Assignment, expected_version: int
) -> None:
    with pytest.raises(PreconditionFailed) as caught:
        record(ada, essay, GradeDraft(score=Decimal(7)), expected_version)
    assert caught.value.members["theirs"]["version"] == 0
    assert not Grade.objects.exists()


def test_who_names_no_version_may_store_a_first_grade_but_change_none(ada: Student, essay: Assignment) -> None:
    record(ada, essay, GradeDraft(score=Decimal(7)), None)
    with pytest.raises(PreconditionRequired):
        record(ada, essay, GradeDraft(score=Decimal(8)), None)
    assert Grade.objects.get().score == Decimal(7)


def test_storing_what_is_there_changes_nothing(ada: Student, essay: Assignment) -> None:
    factories.grade(ada, essay, "8.5")
    grade = record(ada, essay, GradeDraft(score=Decimal("8.50")), 1)
    assert (grade.version, grade.updated_by) == (1, TEACHER)
    assert GradeChange.objects.count() == 1


def test_a_student_of_another_course_is_not_graded(essay: Assignment) -> None:
    stranger = factories.student(factories.course("geometry"), "grace")
    with pytest.raises(NotFound, match="enrol them first"):
        record(stranger, essay, GradeDraft(score=Decimal(7)), 0)


def test_a_stored_grade_is_logged_without_its_score_once_it_is_committed(
    ada: Student,
    essay: Assignment,
    caplog: pytest.LogCaptureFixture,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    caplog.set_level(logging.INFO, "grading.gradebook")
    with django_capture_on_commit_callbacks(execute=True):
        record(ada, essay, GradeDraft(score=Decimal("9.25"), comment="secret"), 0)
        assert not caplog.messages
    expected = f"grade stored course=algebra student={ada.pk} assignment={essay.pk} version=1 author=mr-park"
    assert caplog.messages == [expected]


def test_totals_follow_the_scheme_that_is_stored_though_the_caller_has_read_another(
    ada: Student, essay: Assignment
) -> None:
    exam = factories.assignment(essay.category.course, "Exam", points=100, kind=Kind.TEST)
    factories.grade(ada, essay, "10")
    courses.change_course(course=Course.objects.get(), patch=CoursePatch(scheme=Scheme.POINTS))
    assert essay.category.course.scheme == Scheme.WEIGHTED
    factories.grade(ada, exam, "45")
    assert ada.enrollments.get().current_percent == "50.00"


@pytest.mark.parametrize(
    ("before", "draft", "status", "deduction"),
    [
        (GradePatch(status=Status.LATE, late_deduction=Decimal(1)), GradeDraft(score=Decimal(9)), "late", 1),
        (GradePatch(status=Status.LATE), GradeDraft(score=Decimal(9), excused=False), "late", 0),
        (GradePatch(status=Status.LATE), GradeDraft(score=None, excused=True), "excused", 0),
        (
            GradePatch(status=Status.LATE, late_deduction=Decimal(1)),
            GradeDraft(score=None, status=Status.NONE),
            "none",
            0,
        ),
        (GradePatch(status=Status.INCOMPLETE), GradeDraft(score=Decimal(9)), "incomplete", 0),
        (GradePatch(status=Status.MISSING), GradeDraft(score=Decimal(9)), "none", 0),
        (GradePatch(status=Status.MISSING), GradeDraft(score=None), "missing", 0),
        (GradePatch(status=Status.EXCUSED), GradeDraft(score=Decimal(9)), "none", 0),
    ],
)
def test_a_whole_grade_without_a_status_leaves_late_work_late(
    ada: Student, essay: Assignment, before: GradePatch, draft: GradeDraft, status: str, deduction: int
) -> None:
    record(ada, essay, before, 0)
    grade = record(ada, essay, draft, 1)
    assert (grade.status, int(grade.late_deduction)) == (status, deduction)


def test_a_score_above_the_points_is_refused_where_the_writer_asks_for_that(ada: Student, essay: Assignment) -> None:
    with pytest.raises(AbovePoints) as caught:
        record(ada, essay, GradePatch(score=Decimal("10.01"), within_points=True), 0)
    assert caught.value.members["points"] == "10"
    assert record(ada, essay, GradePatch(score=Decimal(10), within_points=True), 0).score == 10
    assert record(ada, essay, GradePatch(score=Decimal(11)), 1).score == 11
    # What stands there already is not asked about again.
    assert record(ada, essay, GradePatch(score=Decimal(11), comment="x", within_points=True), 2).comment == "x"


class AnyScore(TestCase):
    ada: Student
    essay: Assignment

    @classmethod
    def setUpTestData(cls) -> None:
        cls.ada = factories.student(factories.course())
        cls.essay = factories.assignment(cls.ada.enrollments.get().course)

    @given(st.decimals(min_value=0, max_value="9999999.99", places=2))
    def test_a_score_is_read_back_exactly_as_it_was_stored(self, score: Decimal) -> None:
        record(self.ada, self.essay, GradeDraft(score=score, confirmed=True), 0)
        assert Grade.objects.get().score == score
        assert GradeChange.objects.get().score_after == score
