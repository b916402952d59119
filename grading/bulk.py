"""Storing many grades at once, all or none, and once however often the request is repeated."""

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from msgspec.json import encode

from config.problems import Conflict, Invalid, PreconditionFailed, PreconditionRequired, Problem
from grading import gradebook, representation
from grading.access import Actor
from grading.drafts import BulkDraft
from grading.gradebook import Edit, Refusal
from grading.models import Course, ImportBatch, Source, StoredAnswer

MOST_GRADES = 10_000
KEPT = timedelta(days=1)


class BulkRefused(Problem):
    status = 422
    code = "bulk-refused"
    title = "Some of the grades cannot be stored, so none was"


def store(
    *, course: Course, draft: BulkDraft, key: str | None, actor: Actor, now: datetime
) -> tuple[dict[str, Any], bool]:
    """Store every grade or none; returns the answer, and whether it repeats an earlier one of the same key.

    Each grade names the version that was seen. Raises BulkRefused with an error for each row that cannot be stored,
    PreconditionFailed with the same when all of them are conflicts; Conflict when the key came with other grades.
    """
    edits = _edits(draft)
    fingerprint = hashlib.sha256(encode([course.pk, draft])).hexdigest()
    with transaction.atomic():
        # Lines up requests of one course, so that a repeated one finds the answer of the first.
        Course.objects.select_for_update().get(pk=course.pk)
        if key is not None and (kept := _find_answer(actor, key, fingerprint, now=now)) is not None:
            return kept, True
        batch = ImportBatch.objects.create(
            course=course,
            source=Source.BULK,
            author=actor.author,
            via=actor.via,
            created_at=now,
            finished_at=now,
            rows_total=len(edits),
            rows_done=len(edits),
        )
        outcome = gradebook.store(course=course, edits=edits, actor=actor, source=Source.BULK, batch=batch, now=now)
        if outcome.refused:
            raise _refusal(outcome.refused)
        body = {
            "batch": representation.batch(batch),
            "grades": [
                {
                    **representation.cell(each.grade.student_id, each.grade.assignment_id, each.grade),
                    "changed": each.change is not None,
                    "warnings": representation.warnings(
                        score=each.grade.score, points=outcome.plan.assignments[each.grade.assignment_id].points
                    ),
                }
                for each in outcome.stored
            ],
            "students": representation.students_totals(outcome.standings.values()),
        }
        if key is not None:
            StoredAnswer.objects.create(author=actor.author, key=key, fingerprint=fingerprint, body=body, at=now)
    return body, False


def prune(*, now: datetime) -> int:
    """Forget the answers whose keys are too old to be repeated; returns how many those were."""
    return StoredAnswer.objects.filter(at__lt=now - KEPT).delete()[0]


def _edits(draft: BulkDraft) -> list[Edit]:
    """Raises Invalid for too many grades, and for a cell that is named twice."""
    if len(draft.grades) > MOST_GRADES:
        raise Invalid(f"There are {len(draft.grades)} grades: send at most {MOST_GRADES} at once.")
    edits, seen, faults = [], dict[tuple[int, int], int](), []
    for index, grade in enumerate(draft.grades):
        if draft.confirmed:
            object.__setattr__(grade, "confirmed", True)
        edit = Edit(
            student_id=grade.student, assignment_id=grade.assignment, patch=grade, expected_version=grade.version
        )
        if edit.cell in seen:
            detail = f"Row {seen[edit.cell]} names the same student and assignment: send one of them."
            faults.append({"pointer": f"/grades/{index}", "detail": detail})
        seen[edit.cell] = index
        edits.append(edit)
    if faults:
        raise Invalid("See `errors` for each row.", errors=faults)
    return edits


def _find_answer(actor: Actor, key: str, fingerprint: str, *, now: datetime) -> dict[str, Any] | None:
    kept = StoredAnswer.objects.filter(author=actor.author, key=key).first()
    if kept is None or kept.at < now - KEPT:
        StoredAnswer.objects.filter(author=actor.author, key=key).delete()
        return None
    if kept.fingerprint != fingerprint:
        raise Conflict("This `Idempotency-Key` came with other grades before: make a new key for each request.")
    body: dict[str, Any] = kept.body
    return body


def _refusal(refusals: Sequence[Refusal]) -> Problem:
    errors: list[dict[str, Any]] = []
    for refusal in refusals:
        problem = refusal.problem
        place = f"/grades/{refusal.index}"
        details = problem.errors or [{"pointer": "", "detail": problem.detail}]
        errors += [
            {**problem.members, "pointer": f"{place}{each['pointer']}", "code": problem.code, "detail": each["detail"]}
            for each in details
        ]
    kinds = {type(refusal.problem) for refusal in refusals}
    kind = kinds.pop() if len(kinds) == 1 else BulkRefused
    if kind not in {PreconditionFailed, PreconditionRequired, gradebook.ConfirmationNeeded, gradebook.AbovePoints}:
        kind = BulkRefused
    return kind(
        f"{len(refusals)} of the grades cannot be stored, so none was: see `errors` for each row.", errors=errors
    )
