"""Undoing changes."""

from decimal import Decimal

import pytest

from config.problems import Conflict, PreconditionFailed
from grading import bulk, gradebook, undoing
from grading.access import Actor
from grading.drafts import BulkDraft, BulkGrade, GradePatch
from grading.models import Assignment, Course, Enrollment, Grade, GradeChange, ImportBatch, Student
from tests.grading import factories
from tests.grading.factories import NOW

pytestmark = pytest.mark.django_db
ACTOR = Actor.person("mr-park", via="webui 127.0.0.1")


@pytest.fixture
def course() -> Course:
    course = factories.course()
    factories.assignment(course)
    for username in ("ada", "bob"):
        factories.student(course, username)
    return course


def store(course: Course, *scores: str, version: int = 0) -> ImportBatch:
    essay = Assignment.objects.get()
    grades = tuple(
        BulkGrade(student=student.pk, assignment=essay.pk, version=version, score=Decimal(score))
        for student, score in zip(Student.objects.order_by("username"), scores, strict=False)
    )
    body, _ = bulk.store(course=course, draft=BulkDraft(grades=grades), key=None, actor=ACTOR, now=NOW)
    return ImportBatch.objects.get(pk=body["batch"]["id"])


def scores() -> list[Decimal | None]:
    return list(Grade.objects.order_by("student__username").values_list("score", flat=True))


def test_an_undo_is_a_change_of_its_own_with_author_and_totals(course: Course) -> None:
    store(course, "7", "8")
    change = GradeChange.objects.order_by("pk").first()
    assert change is not None
    undoing.undo_change(course=course, change=change, actor=Actor.person("ms-rivera"), now=NOW)
    assert scores() == [None, Decimal(8)]
    last = GradeChange.objects.order_by("pk").last()
    assert last is not None
    assert (last.version, last.author, last.source) == (2, "ms-rivera", "undo")
    assert Enrollment.objects.get(student__username="ada").current_percent is None


def test_undoing_a_change_that_a_later_one_covers_is_refused(course: Course) -> None:
    store(course, "7")
    change = GradeChange.objects.get()
    store(course, "9", version=1)
    with pytest.raises(PreconditionFailed) as caught:
        undoing.undo_change(course=course, change=change, actor=ACTOR, now=NOW)
    assert caught.value.members["theirs"]["score"] == "9"
    assert scores() == [Decimal(9)]


def test_undoing_a_batch_leaves_later_changes_alone_and_names_them(course: Course) -> None:
    batch = store(course, "7", "8")
    ada = Student.objects.get(username="ada")
    gradebook.record_grade(
        student_id=ada.pk,
        assignment=Assignment.objects.get(),
        patch=GradePatch(score=Decimal(9)),
        expected_version=1,
        actor=ACTOR,
        now=NOW,
    )
    undone = undoing.undo_batch(course=course, batch=batch, actor=ACTOR, now=NOW)
    assert scores() == [Decimal(9), None]
    assert [each.index for each in undone.refused] == [0]


def test_an_undo_is_undone(course: Course) -> None:
    batch = store(course, "7", "8")
    undone = undoing.undo_batch(course=course, batch=batch, actor=ACTOR, now=NOW)
    undoing.undo_batch(course=course, batch=undone.batch, actor=ACTOR, now=NOW)
    assert scores() == [Decimal(7), Decimal(8)]
    with pytest.raises(Conflict, match="undone already"):
        undoing.undo_batch(course=course, batch=batch, actor=ACTOR, now=NOW)


def test_a_batch_whose_every_grade_was_changed_since_is_not_undone(course: Course) -> None:
    batch = store(course, "7")
    store(course, "9", version=1)
    with pytest.raises(Conflict, match="changed since"):
        undoing.undo_batch(course=course, batch=batch, actor=ACTOR, now=NOW)
    assert not batch.undone_by.exists()
