"""Undoing changes of grades: each undo is itself a change, and never overwrites a later one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from config.problems import Conflict
from grading import gradebook, rosters
from grading.access import Actor
from grading.drafts import GradePatch
from grading.gradebook import Edit, Outcome, Refusal, Stored
from grading.models import Course, GradeChange, ImportBatch, Source, Status


@dataclass(frozen=True, kw_only=True)
class Undone:
    """`refused` are the changes that a later one stands in the way of, with the index into `changes`; of a roster,
    `refused_people` are the enrollments, each with a `detail`."""

    batch: ImportBatch
    changes: Sequence[GradeChange] = ()
    outcome: Outcome | None = None
    refused_people: Sequence[dict[str, Any]] = ()

    @property
    def stored(self) -> Sequence[Stored]:
        return self.outcome.stored if self.outcome else ()

    @property
    def refused(self) -> Sequence[Refusal]:
        return self.outcome.refused if self.outcome else ()


def undo_change(*, course: Course, change: GradeChange, actor: Actor, now: datetime) -> Undone:
    """Put back what the change found. Raises PreconditionFailed when the grade was changed since."""
    with transaction.atomic():
        undone = _undo(course, [change], actor=actor, undoes=None, now=now)
        for refusal in undone.refused:
            raise refusal.problem
    return undone


def undo_batch(*, course: Course, batch: ImportBatch, actor: Actor, now: datetime) -> Undone:
    """Put back what each change of the batch found, but for the grades that were changed since.

    Undoing an undo restores what it took back. Raises Conflict when the batch was undone already, or when a later
    change stands in the way of all of it.
    """
    with transaction.atomic():
        # Held until commit, so that a batch is undone once.
        ImportBatch.objects.select_for_update().get(pk=batch.pk)
        if batch.undone_by.exists():
            raise Conflict(f"Batch {batch.pk} was undone already, by batch {batch.undone_by.get().pk}: undo that one.")
        if batch.content == "roster":
            if batch.progress != ImportBatch.Progress.DONE:
                raise Conflict(f"Batch {batch.pk} is not stored: there is nothing to undo.")
            refused = rosters.undo(batch=batch)
            undo = _batch(course, actor=actor, undoes=batch, size=batch.rows_total, now=now)
            return Undone(batch=undo, refused_people=refused)
        changes = list(batch.changes.select_related("grade").order_by("pk"))
        if not changes:
            raise Conflict(f"Batch {batch.pk} changed no grades: there is nothing to undo.")
        undone = _undo(course, changes, actor=actor, undoes=batch, now=now)
        if not undone.stored:
            raise Conflict(f"Every grade of batch {batch.pk} was changed since: undo or correct them one by one.")
    return undone


def _batch(course: Course, *, actor: Actor, undoes: ImportBatch | None, size: int, now: datetime) -> ImportBatch:
    return ImportBatch.objects.create(
        course=course,
        source=Source.UNDO,
        author=actor.author,
        via=actor.via,
        created_at=now,
        finished_at=now,
        undoes=undoes,
        rows_total=size,
        rows_done=size,
    )


def _undo(
    course: Course, changes: Sequence[GradeChange], *, actor: Actor, undoes: ImportBatch | None, now: datetime
) -> Undone:
    batch = _batch(course, actor=actor, undoes=undoes, size=len(changes), now=now)
    edits = [
        Edit(
            student_id=change.grade.student_id,
            assignment_id=change.grade.assignment_id,
            patch=GradePatch(
                score=change.score_before,
                status=Status(change.status_before),
                late_deduction=change.late_deduction_before,
                comment=change.comment_before,
                confirmed=True,
            ),
            expected_version=change.version,
        )
        for change in changes
    ]
    outcome = gradebook.store(
        course=course, edits=edits, actor=actor, source=Source.UNDO, batch=batch, now=now, refused="rows"
    )
    return Undone(batch=batch, changes=changes, outcome=outcome)
