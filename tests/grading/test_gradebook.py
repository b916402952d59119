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
from grading import gradebook
from grading.access import Actor
from grading.drafts import GradeDraft
from grading.models import Assignment, Grade, GradeChange, Student
from tests.grading import factories
from tests.grading.factories import NOW, TEACHER

LATER = NOW + timedelta(minutes=5)


@pytest.fixture
def ada(db: None) -> Student:
    return factories.student(factories.course())


@pytest.fixture
def essay(ada: Student) -> Assignment:
    return factories.assignment(ada.enrollments.get().course)


def record(student: Student, assignment: Assignment, draft: GradeDraft, expected_version: int | None) -> Grade:
    return gradebook.record_grade(
        student=student,
        assignment=assignment,
        patch=draft,
        expected_version=expected_version,
        actor=Actor.person("mr-park"),
        now=LATER,
    )


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


class AnyScore(TestCase):
    @given(st.decimals(min_value=0, max_value="9999999.99", places=2))
    def test_a_score_is_read_back_exactly_as_it_was_stored(self, score: Decimal) -> None:
        ada = factories.student(factories.course())
        essay = factories.assignment(ada.enrollments.get().course)
        record(ada, essay, GradeDraft(score=score, confirmed=True), 0)
        assert Grade.objects.get().score == score
        assert GradeChange.objects.get().score_after == score
