"""Storing grades: never over a change that the writer has not seen, each with its author, time and origin."""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from functools import partial

from django.db import transaction
from msgspec import UNSET

from config.problems import Invalid, NotFound, PreconditionFailed, PreconditionRequired, Problem
from grading import representation, totals
from grading.access import Actor
from grading.drafts import GradeDraft, GradePatch
from grading.models import (
    Assignment,
    Course,
    Enrollment,
    Grade,
    GradeChange,
    ImportBatch,
    Role,
    Source,
    State,
    Status,
    Student,
)

logger = logging.getLogger(__name__)

# A score of more than so many times the points must be confirmed.
CONFIRMED_ABOVE_TIMES = 10
# Cells named in one line of the log.
_CELLS_PER_LINE = 100

Cell = tuple[int, int]


class ConfirmationNeeded(Problem):
    status = 422
    code = "confirmation-needed"
    title = "The score is far above the points"


@dataclass(frozen=True, kw_only=True)
class Content:
    """What a teacher enters for one grade."""

    score: Decimal | None = None
    status: str = Status.NONE
    late_deduction: Decimal = Decimal(0)
    comment: str = ""

    @classmethod
    def of(cls, grade: Grade | None) -> "Content":
        if grade is None:
            return cls()
        return cls(score=grade.score, status=grade.status, late_deduction=grade.late_deduction, comment=grade.comment)

    def patched(self, patch: GradePatch | GradeDraft) -> "Content":
        """With the members that the patch holds. A deduction goes with the status `late`, and is dropped with it."""
        changed = {
            name: value
            for name in ("score", "status", "late_deduction", "comment")
            if (value := getattr(patch, name)) is not UNSET
        }
        if patch.excused is True:
            changed["status"] = Status.EXCUSED
        elif patch.excused is False and self.status == Status.EXCUSED:
            changed.setdefault("status", Status.NONE)
        status = changed.get("status", self.status)
        if status != Status.LATE:
            if changed.get("late_deduction"):
                raise Invalid(
                    "See `errors` for each member.",
                    errors=[
                        {"pointer": "/late_deduction", "detail": "Only a grade of the status 'late' has a deduction."}
                    ],
                )
            changed["late_deduction"] = Decimal(0)
        return replace(self, **changed)


@dataclass(frozen=True, kw_only=True)
class Edit:
    """A change that somebody asks for. `expected_version` is the version they saw, 0 for none, None: not said."""

    student_id: int
    assignment_id: int
    patch: GradePatch | GradeDraft
    expected_version: int | None

    @property
    def cell(self) -> Cell:
        return self.student_id, self.assignment_id


@dataclass(frozen=True, kw_only=True)
class Stored:
    """A grade after an edit; `change` is None when the edit changed nothing."""

    grade: Grade
    change: GradeChange | None


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """Why the edit at `index` cannot be stored."""

    index: int
    problem: Problem


def record_grade(
    *,
    student: Student,
    assignment: Assignment,
    patch: GradePatch | GradeDraft,
    expected_version: int | None,
    actor: Actor,
    now: datetime,
) -> Grade:
    """Store one grade with its change and the student's totals; durable once this returns.

    Storing what is there already changes nothing. Raises PreconditionFailed, with the stored grade as `theirs`, when
    another change came first; PreconditionRequired when there is a grade and the author named no version; NotFound
    when the student is not in the course; ConfirmationNeeded for a score of more than ten times the points.
    """
    edit = Edit(student_id=student.pk, assignment_id=assignment.pk, patch=patch, expected_version=expected_version)
    with transaction.atomic():
        course = assignment.category.course
        stored, refusals = store(course=course, edits=[edit], actor=actor, source=Source.SINGLE, batch=None, now=now)
        for refusal in refusals:
            raise refusal.problem
    return stored[0].grade


def store(
    *,
    course: Course,
    edits: Sequence[Edit],
    actor: Actor,
    source: Source,
    batch: ImportBatch | None,
    now: datetime,
    refused: str = "all",
) -> tuple[list[Stored], list[Refusal]]:
    """Store edits of cells that differ, inside the caller's transaction, with a constant number of statements.

    With any refusal nothing is stored, unless `refused` is "rows": then the others are. The writers of one student
    line up by the lock on the enrollment, taken in one order.
    """
    enrolled = _lock(course, {edit.student_id for edit in edits})
    assignments = Assignment.objects.select_related("category__course").filter(category__course=course)
    by_id = assignments.in_bulk({edit.assignment_id for edit in edits})
    present = _present(edits)
    refusals: list[Refusal] = []
    decided: list[tuple[Edit, Content]] = []
    for index, edit in enumerate(edits):
        try:
            content = _decide(edit, course, enrolled, by_id.get(edit.assignment_id), present.get(edit.cell))
        except Problem as problem:
            refusals.append(Refusal(index=index, problem=problem))
        else:
            decided.append((edit, content))
    if refusals and refused == "all":
        return [], refusals
    stored = _write(decided, present, actor=actor, source=source, batch=batch, now=now)
    changed = [each.grade for each in stored if each.change is not None]
    if changed:
        totals.refresh(course=course, student_ids={grade.student_id for grade in changed})
        transaction.on_commit(partial(_log, course.code, changed, actor=actor, source=source, batch=batch))
    return stored, refusals


def find_grade(*, student: Student, assignment: Assignment) -> Grade | None:
    return Grade.objects.filter(student=student, assignment=assignment).first()


def history(*, student: Student, assignment: Assignment) -> list[GradeChange]:
    """Every change of a grade, the oldest first."""
    return list(GradeChange.objects.filter(grade__student=student, grade__assignment=assignment))


def warnings(*, score: Decimal | None, points: Decimal) -> list[dict[str, str]]:
    """What is stored all the same and deserves a look."""
    if score is None or score <= points:
        return []
    amount, most = representation.amount(score), representation.amount(points)
    return [{"code": "above-points", "detail": f"The score {amount} is above the {most} points of this assignment."}]


def _lock(course: Course, student_ids: Iterable[int]) -> set[int]:
    enrollments = Enrollment.objects.select_for_update().filter(
        course=course, role=Role.STUDENT, student__in=student_ids
    )
    return set(enrollments.exclude(state=State.DROPPED).order_by("pk").values_list("student_id", flat=True))


def _present(edits: Sequence[Edit]) -> dict[Cell, Grade]:
    students = {edit.student_id for edit in edits}
    grades = Grade.objects.filter(assignment__in={edit.assignment_id for edit in edits})
    if len(students) <= _CELLS_PER_LINE:
        grades = grades.filter(student__in=students)
    return {(grade.student_id, grade.assignment_id): grade for grade in grades}


def _decide(
    edit: Edit, course: Course, enrolled: set[int], assignment: Assignment | None, grade: Grade | None
) -> Content:
    if edit.student_id not in enrolled:
        raise NotFound(f"The student {edit.student_id} is not in the course {course.code!r}: enrol them first.")
    if assignment is None:
        listing = f"GET /v1/courses/{course.code}/assignments"
        raise NotFound(f"There is no assignment {edit.assignment_id} in {course.code!r}: {listing}.")
    _check_version(grade, edit.expected_version)
    content = Content.of(grade).patched(edit.patch)
    score = content.score
    is_new = score is not None and (grade is None or grade.score != score)
    if (
        score is not None
        and is_new
        and not edit.patch.confirmed
        and 0 < assignment.points * CONFIRMED_ABOVE_TIMES < score
    ):
        raise ConfirmationNeeded(
            f"The score is more than {CONFIRMED_ABOVE_TIMES} times the {representation.amount(assignment.points)} "
            'points of this assignment: send it again with `"confirmed": true` if it is meant so.',
            errors=[{"pointer": "/score", "detail": "Confirm it, or correct it."}],
        )
    return content


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


def _write(
    decided: Sequence[tuple[Edit, Content]],
    present: dict[Cell, Grade],
    *,
    actor: Actor,
    source: Source,
    batch: ImportBatch | None,
    now: datetime,
) -> list[Stored]:
    """An insert that turns to an update where the grade is there, and an insert of the changes."""
    grades: dict[Cell, Grade] = {}
    before: dict[Cell, Content] = {}
    for edit, content in decided:
        grade = present.get(edit.cell)
        before[edit.cell] = Content.of(grade)
        if before[edit.cell] == content and (
            grade is not None or (edit.expected_version == 0 and source != Source.SINGLE)
        ):
            continue
        grade = grade or Grade(student_id=edit.student_id, assignment_id=edit.assignment_id, version=0)
        grade.score, grade.status, grade.comment = content.score, content.status, content.comment
        grade.late_deduction = content.late_deduction
        grade.version += 1
        grade.updated_by, grade.updated_at = actor.author, now
        grades[edit.cell] = grade
    new = [grade for grade in grades.values() if grade.pk is None]
    Grade.objects.bulk_create(new)
    _update([grade for grade in grades.values() if grade.version > 1])
    changes = {
        cell: _change(grade, before[cell], actor=actor, source=source, batch=batch) for cell, grade in grades.items()
    }
    GradeChange.objects.bulk_create(changes.values())
    return [
        Stored(grade=grades.get(edit.cell) or present[edit.cell], change=changes.get(edit.cell))
        for edit, _ in decided
        if edit.cell in grades or edit.cell in present
    ]


def _update(grades: Sequence[Grade]) -> None:
    """By an insert that finds each row there: many times as fast as Django's `bulk_update`."""
    fields = ["score", "status", "late_deduction", "comment", "version", "updated_at", "updated_by"]
    if len(grades) == 1:
        grades[0].save(update_fields=fields)
    elif grades:
        Grade.objects.bulk_create(
            grades, update_conflicts=True, unique_fields=["student", "assignment"], update_fields=fields
        )


def _change(grade: Grade, before: Content, *, actor: Actor, source: Source, batch: ImportBatch | None) -> GradeChange:
    return GradeChange(
        grade=grade,
        version=grade.version,
        at=grade.updated_at,
        author=actor.author,
        via=actor.via,
        source=source,
        batch=batch,
        score_before=before.score,
        score_after=grade.score,
        status_before=before.status,
        status_after=grade.status,
        late_deduction_before=before.late_deduction,
        late_deduction_after=grade.late_deduction,
        comment_before=before.comment,
        comment_after=grade.comment,
    )


def _log(code: str, grades: Sequence[Grade], *, actor: Actor, source: Source, batch: ImportBatch | None) -> None:
    """Ids and authors, never a score: the log has other readers than the gradebook."""
    if batch is None:
        for grade in grades:
            logger.info(
                "grade stored course=%s student=%s assignment=%s version=%s author=%s",
                code,
                grade.student_id,
                grade.assignment_id,
                grade.version,
                actor.author,
            )
        return
    for start in range(0, len(grades), _CELLS_PER_LINE):
        cells = ",".join(
            f"{grade.student_id}-{grade.assignment_id}" for grade in grades[start : start + _CELLS_PER_LINE]
        )
        logger.info(
            "grades stored course=%s source=%s batch=%s author=%s grades=%s",
            code,
            source.value,
            batch.pk,
            actor.author,
            cells,
        )
