"""Storing grades: one at a time, never over a change that the writer has not seen, each with its author and time."""

import logging
from datetime import datetime
from functools import partial

from django.db import transaction

from config.problems import NotFound, PreconditionFailed, PreconditionRequired
from grading import representation
from grading.drafts import GradeDraft
from grading.models import Assignment, Enrollment, Grade, GradeChange, Student

logger = logging.getLogger(__name__)


def record_grade(
    *,
    student: Student,
    assignment: Assignment,
    draft: GradeDraft,
    expected_version: int | None,
    author: str,
    now: datetime,
) -> Grade:
    """Store what a student got, together with who changed what and when; durable once this returns.

    `expected_version` is the version that the author saw, 0 for none, and None where they did not say. Storing what
    is there already changes nothing. Raises PreconditionFailed, with the stored grade as `theirs`, when another
    change came first; PreconditionRequired when there is a grade and the author named no version; NotFound when the
    student is not in the course.
    """
    with transaction.atomic():
        _line_up(student, assignment)
        grade = find_grade(student=student, assignment=assignment)
        _check_version(grade, expected_version)
        if grade is not None and _content(grade) == draft:
            return grade
        stored = _store(grade, student, assignment, draft, author=author, now=now)
        transaction.on_commit(partial(_log, stored))
    return stored


def find_grade(*, student: Student, assignment: Assignment) -> Grade | None:
    return Grade.objects.filter(student=student, assignment=assignment).first()


def history(*, student: Student, assignment: Assignment) -> list[GradeChange]:
    """Every change of a grade, the oldest first."""
    return list(GradeChange.objects.filter(grade__student=student, grade__assignment=assignment))


def _line_up(student: Student, assignment: Assignment) -> None:
    """Hold the student's place in the course until commit: others who grade them wait, also for a first grade."""
    course = assignment.category.course
    if not Enrollment.objects.select_for_update().filter(course=course, student=student).exists():
        raise NotFound(f"The student {student.pk} is not in the course {course.code!r}: enrol them first.")


def _check_version(grade: Grade | None, expected: int | None) -> None:
    version = 0 if grade is None else grade.version
    if expected == version or (expected is None and grade is None):
        return
    theirs = representation.grade(grade)
    if expected is None:
        raise PreconditionRequired(
            f'There is a grade already: send `If-Match: "{version}"` to change the one in `theirs`.', theirs=theirs
        )
    raise PreconditionFailed(
        f"You saw version {expected}, and version {version} is stored: look at `theirs`, then send its version.",
        theirs=theirs,
    )


def _content(grade: Grade) -> GradeDraft:
    return GradeDraft(score=grade.score, excused=grade.excused, comment=grade.comment)


def _store(
    grade: Grade | None, student: Student, assignment: Assignment, draft: GradeDraft, *, author: str, now: datetime
) -> Grade:
    before = GradeDraft(score=None) if grade is None else _content(grade)
    grade = grade or Grade(student=student, assignment=assignment, version=0)
    grade.score, grade.excused, grade.comment = draft.score, draft.excused, draft.comment
    grade.version += 1
    grade.updated_by, grade.updated_at = author, now
    grade.save()
    GradeChange.objects.create(
        grade=grade,
        version=grade.version,
        at=now,
        author=author,
        score_before=before.score,
        score_after=draft.score,
        excused_before=before.excused,
        excused_after=draft.excused,
        comment_before=before.comment,
        comment_after=draft.comment,
    )
    return grade


def _log(grade: Grade) -> None:
    logger.info(
        "grade stored course=%s student=%s assignment=%s score=%s author=%s",
        grade.assignment.category.course.code,
        grade.student_id,
        grade.assignment_id,
        _word(grade),
        grade.updated_by,
    )


def _word(grade: Grade) -> str:
    if grade.excused:
        return "excused"
    return "blank" if grade.score is None else representation.amount(grade.score)
