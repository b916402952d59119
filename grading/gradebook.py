"""Storing grades: never over a change that the writer has not seen, each with its author, time and origin."""

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any

from django.db import transaction
from msgspec import UNSET, Struct, structs

from config.problems import Invalid, NotFound, PreconditionFailed, PreconditionRequired, Problem
from grading import representation, rows, standings, totals
from grading.access import Actor
from grading.drafts import GradeDraft, GradePatch
from grading.models import (
    Assignment,
    Course,
    Grade,
    GradeChange,
    ImportBatch,
    Source,
    State,
    Status,
    Student,
)
from grading.standings import Plan, Standing

logger = logging.getLogger(__name__)

# A score of more than this many times the points must be confirmed.
CONFIRMED_ABOVE_TIMES = 10
# Cells named in one line of the log.
_CELLS_PER_LINE = 100
# Students named in one statement; where more are edited, the whole course is read.
_MOST_NAMED = 100
_WRITTEN = ("score", "status", "late_deduction", "comment", "version", "updated_at", "updated_by")

Cell = tuple[int, int]


class ConfirmationNeeded(Problem):
    status = 422
    code = "confirmation-needed"
    title = "The score is far above the points"


class AbovePoints(Problem):
    status = 422
    code = "above-points"
    title = "The score is above the points"


class Content(Struct, frozen=True, kw_only=True):
    """The part of a grade that a teacher enters."""

    score: Decimal | None = None
    status: str = Status.NONE
    late_deduction: Decimal = Decimal(0)
    comment: str = ""

    @classmethod
    def of(cls, grade: Grade | None) -> "Content":
        if grade is None:
            return _BLANK
        return cls(score=grade.score, status=grade.status, late_deduction=grade.late_deduction, comment=grade.comment)

    def patched(self, patch: GradePatch | GradeDraft) -> "Content":
        """The content with the members that the patch holds; raises Invalid for a deduction without the status `late`.

        A whole grade that names no status keeps `late` and `incomplete`, and its score takes the place of `missing`.
        """
        changed: dict[str, Any] = {
            name: value
            for name in ("score", "status", "late_deduction", "comment")
            if (value := getattr(patch, name)) is not UNSET
        }
        if patch.excused is True:
            changed["status"] = Status.EXCUSED
        elif patch.excused is False and self.status == Status.EXCUSED:
            changed.setdefault("status", Status.NONE)
        is_replaced = self.status == Status.EXCUSED or (self.status == Status.MISSING and patch.score is not None)
        if isinstance(patch, GradeDraft) and is_replaced:
            changed.setdefault("status", Status.NONE)
        if changed.get("status", self.status) != Status.LATE:
            if changed.get("late_deduction"):
                raise Invalid(
                    "See `errors` for each member.",
                    errors=[
                        {"pointer": "/late_deduction", "detail": "Only a grade of the status 'late' has a deduction."}
                    ],
                )
            changed["late_deduction"] = Decimal(0)
        return structs.replace(self, **changed)


_BLANK = Content()


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
    """The reason why the edit at `index` cannot be stored."""

    index: int
    problem: Problem


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """The outcome of edits, and the new standings, by student, of those whose grades changed."""

    plan: Plan
    stored: Sequence[Stored] = ()
    refused: Sequence[Refusal] = ()
    standings: Mapping[int, Standing]


def record_grade(
    *,
    student_id: int,
    assignment: Assignment,
    patch: GradePatch | GradeDraft,
    expected_version: int | None,
    actor: Actor,
    now: datetime,
) -> tuple[Stored, Standing]:
    """Store one grade with its change and the student's totals; durable once this returns.

    Storing what is there already changes nothing. Raises PreconditionFailed, with the stored grade as `theirs`, when
    another change came first; PreconditionRequired when there is a grade and the author named no version; NotFound
    when the student is not in the course; ConfirmationNeeded for a score of more than ten times the points.
    """
    edit = Edit(student_id=student_id, assignment_id=assignment.pk, patch=patch, expected_version=expected_version)
    with transaction.atomic():
        course = assignment.category.course
        outcome = store(course=course, edits=[edit], actor=actor, source=Source.SINGLE, batch=None, now=now)
        for refusal in outcome.refused:
            raise refusal.problem
    return outcome.stored[0], outcome.standings[student_id]


def store(
    *,
    course: Course,
    edits: Sequence[Edit],
    actor: Actor,
    source: Source,
    batch: ImportBatch | None,
    now: datetime,
    refused: str = "all",
) -> Outcome:
    """Store edits of cells that differ, inside the caller's transaction, with a constant number of statements.

    With any refusal nothing is stored, unless `refused` is "rows": then the others are. The writers of one student
    line up by the lock on the enrollment, taken in one order; what decides is read once it is held.
    """
    student_ids = {edit.student_id for edit in edits}
    enrollments = totals.lock(course=course, student_ids=student_ids)
    plan = standings.read_plan(course=course, with_unpublished=True)
    grades = standings.read_grades(plan=plan, student_ids=student_ids if len(student_ids) <= _MOST_NAMED else None)
    refusals: list[Refusal] = []
    decided: list[tuple[Edit, Content]] = []
    for index, edit in enumerate(edits):
        try:
            enrollment = enrollments.get(edit.student_id)
            if enrollment is None or enrollment.state == State.DROPPED:
                raise NotFound(f"The student {edit.student_id} is not in the course {course.code!r}: enrol them first.")
            decided.append((edit, _decide(edit, plan, grades[edit.student_id].get(edit.assignment_id))))
        except Problem as problem:
            refusals.append(Refusal(index=index, problem=problem))
    if refusals and refused == "all":
        return Outcome(plan=plan, refused=refusals, standings={})
    stored = _write(decided, grades, actor=actor, source=source, batch=batch, now=now)
    changed = [each.grade for each in stored if each.change is not None]
    found = {
        student_id: Standing(plan=plan, student=enrollment.student, grades=grades[student_id])
        for student_id in dict.fromkeys(each.grade.student_id for each in stored)
        if (enrollment := enrollments[student_id]).student is not None
    }
    if changed:
        touched = {grade.student_id for grade in changed}
        totals.store(enrollments={each: enrollments[each] for each in touched}, standings=found)
        transaction.on_commit(partial(_log, course.code, changed, actor=actor, source=source, batch=batch))
    return Outcome(plan=plan, stored=stored, refused=refusals, standings=found)


def find_grade(*, student: Student, assignment: Assignment) -> Grade | None:
    return Grade.objects.filter(student=student, assignment=assignment).first()


def history(*, student: Student, assignment: Assignment) -> list[GradeChange]:
    """Every change of a grade, the oldest first."""
    return list(GradeChange.objects.filter(grade__student=student, grade__assignment=assignment))


def history_of(grade: Grade | None) -> list[GradeChange]:
    """The history, as `history` reads it, of a grade that the caller has read."""
    return [] if grade is None else list(rows.select(GradeChange, {"grade_id": [grade.pk]}, order_by="version"))


class PlacedChange(Struct, frozen=True, kw_only=True):
    """A change with the student and the assignment whose grade it is of."""

    change: GradeChange
    student_id: int
    assignment_id: int


def latest_changes(
    *,
    assignment_ids: Collection[int],
    limit: int,
    before: int | None = None,
    student_id: int | None = None,
    assignment_id: int | None = None,
    batch_id: int | None = None,
) -> list[PlacedChange]:
    """Changes of a course's assignments, the latest first; `before` is the id of the last one of the page before."""
    if not assignment_ids:
        return []
    wanted = {
        "change.id < %s": before,
        "grade.student_id = %s": student_id,
        "grade.assignment_id = %s": assignment_id,
        "change.batch_id = %s": batch_id,
    }
    filters = {condition: value for condition, value in wanted.items() if value is not None}
    conditions = [f"grade.assignment_id IN ({', '.join(['%s'] * len(assignment_ids))})", *filters]
    # Written, as compiling it takes longer than running it.
    found: Any = GradeChange.objects.raw(
        "SELECT change.*, grade.student_id, grade.assignment_id FROM grading_gradechange AS change "  # noqa: S608 -- constants and placeholders
        "JOIN grading_grade AS grade ON grade.id = change.grade_id "
        f"WHERE {' AND '.join(conditions)} ORDER BY change.id DESC LIMIT %s",
        [*assignment_ids, *filters.values(), limit],
    )
    return [PlacedChange(change=each, student_id=each.student_id, assignment_id=each.assignment_id) for each in found]


def _decide(edit: Edit, plan: Plan, grade: Grade | None) -> Content:
    """Decide what the cell will hold. Raises Problem for an edit that cannot be stored."""
    assignment = plan.assignments.get(edit.assignment_id)
    if assignment is None:
        code = plan.course.code
        listing = f"GET /v1/courses/{code}/assignments"
        raise NotFound(f"There is no assignment {edit.assignment_id} in {code!r}: {listing}.")
    version = 0 if grade is None else grade.version
    if edit.expected_version is None and grade is not None:
        raise PreconditionRequired(
            f'There is a grade already: send `If-Match: "{version}"` to change the one in `theirs`.',
            theirs=representation.grade(grade),
        )
    if edit.expected_version not in (None, version):
        raise PreconditionFailed(
            f"You saw version {edit.expected_version}, and version {version} is stored: look at `theirs`, then send "
            "its version.",
            theirs=representation.grade(grade),
        )
    content = Content.of(grade).patched(edit.patch)
    score, points = content.score, assignment.points
    is_new = score is not None and (grade is None or grade.score != score)
    if score is None or not is_new or edit.patch.confirmed or score <= points:
        return content
    if edit.patch.within_points:
        raise AbovePoints(
            f"The score is above the {representation.amount(points)} points of this assignment: leave out "
            "`within_points` if it is meant so.",
            points=representation.amount(points),
            errors=[{"pointer": "/score", "detail": f"It is more than {representation.amount(points)}."}],
        )
    if 0 < points * CONFIRMED_ABOVE_TIMES < score:
        raise ConfirmationNeeded(
            f"The score is more than {CONFIRMED_ABOVE_TIMES} times the {representation.amount(points)} "
            'points of this assignment: send it again with `"confirmed": true` if it is meant so.',
            errors=[{"pointer": "/score", "detail": "Confirm it, or correct it."}],
        )
    return content


def _write(
    decided: Sequence[tuple[Edit, Content]],
    grades: dict[int, dict[int, Grade]],
    *,
    actor: Actor,
    source: Source,
    batch: ImportBatch | None,
    now: datetime,
) -> list[Stored]:
    """Store the grades that change, in `grades` too, and a line of history for each."""
    touched: list[Grade] = []
    changed: dict[Cell, tuple[Grade, Content]] = {}
    for edit, content in decided:
        own = grades[edit.student_id]
        grade = own.get(edit.assignment_id)
        before = Content.of(grade)
        if before == content and grade is None and edit.expected_version == 0 and source != Source.SINGLE:
            continue
        if grade is None:
            grade = own[edit.assignment_id] = Grade(
                student_id=edit.student_id, assignment_id=edit.assignment_id, version=0
            )
        elif before == content:
            touched.append(grade)
            continue
        grade.score, grade.status, grade.comment = content.score, content.status, content.comment
        grade.late_deduction, grade.version = content.late_deduction, grade.version + 1
        grade.updated_by, grade.updated_at = actor.author, now
        touched.append(grade)
        changed[edit.student_id, edit.assignment_id] = grade, before
    rows.insert([grade for grade, _ in changed.values() if grade.pk is None])
    rows.update([grade for grade, _ in changed.values() if grade.version > 1], _WRITTEN)
    changes = {
        cell: GradeChange(
            grade_id=grade.pk,
            version=grade.version,
            at=now,
            author=actor.author,
            via=actor.via,
            source=source,
            batch_id=None if batch is None else batch.pk,
            score_before=before.score,
            score_after=grade.score,
            status_before=before.status,
            status_after=grade.status,
            late_deduction_before=before.late_deduction,
            late_deduction_after=grade.late_deduction,
            comment_before=before.comment,
            comment_after=grade.comment,
        )
        for cell, (grade, before) in changed.items()
    }
    rows.insert(list(changes.values()))
    return [Stored(grade=grade, change=changes.get((grade.student_id, grade.assignment_id))) for grade in touched]


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
