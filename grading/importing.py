"""Importing files: a preview first, then what it showed, all in one transaction and to be undone as one batch."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import Q

from config.clocks import SKEW
from config.problems import Conflict, Invalid, NotFound, Problem
from grading import courses, gradebook, progress, representation, rosters, standings, totals
from grading.access import Actor
from grading.drafts import AssignmentDraft, GradePatch, read_amount
from grading.files import columns as file_columns
from grading.files import gradefile, people, tables
from grading.files.columns import Column
from grading.models import Course, ImportBatch, Source, Status
from grading.progress import Progress

logger = logging.getLogger(__name__)

GRADES, ROSTER = "grades", "roster"
CONTENTS = (GRADES, ROSTER)
# A confirmed file with at least this many changes is stored by a worker.
QUEUED_FROM = 2_000
# If a worker began an import this long ago and does not hold its lock, it is dead, and another begins it again.
LEASE = timedelta(seconds=5)
# An import that has ended this many workers is given up.
MOST_STARTS = 3
# After this time an unconfirmed preview or a failed import is deleted with its file.
PREVIEW_KEPT = timedelta(days=7)
# Imports of which nothing is stored: they can be read in another way, confirmed, or deleted.
OPEN = (ImportBatch.Progress.PREVIEW, ImportBatch.Progress.FAILED)
# Changes that are stored with the same few statements, and that progress is told by.
_ROWS_AT_ONCE = 200


@dataclass(frozen=True, kw_only=True)
class Options:
    """The options for reading a file. `mapping` holds the meanings that somebody gave columns, by index."""

    content: str = GRADES
    separator: str | None = None
    clears_blanks: bool = False
    mapping: Mapping[str, Mapping[str, Any]] | None = None

    def body(self) -> dict[str, Any]:
        return {"separator": self.separator, "clears_blanks": self.clears_blanks, "mapping": dict(self.mapping or {})}


def preview(
    *, course: Course, file: bytes, filename: str, options: Options, actor: Actor, now: datetime
) -> ImportBatch:
    """Read a file and keep what it would change; nothing is changed yet. Raises Invalid for a file that cannot be."""
    shown = _read(course, file, options)
    return ImportBatch.objects.create(
        course=course,
        source=Source.IMPORT,
        content=options.content,
        progress=ImportBatch.Progress.PREVIEW,
        author=actor.author,
        via=actor.via,
        created_at=now,
        filename=filename,
        file=file,
        options=options.body(),
        preview=shown,
        rows_total=_size(shown),
    )


@transaction.atomic
def remap(*, batch: ImportBatch, options: Options) -> ImportBatch:
    """Read the file again in another way. Raises Conflict when it was confirmed already."""
    batch = _locked(batch)
    batch.preview = _read(batch.course, bytes(batch.file or b""), options)
    batch.options, batch.rows_total = options.body(), _size(batch.preview)
    batch.progress, batch.outcome = ImportBatch.Progress.PREVIEW, {}
    batch.save(update_fields=["preview", "options", "rows_total", "progress", "outcome"])
    return batch


@transaction.atomic
def cancel(*, batch: ImportBatch) -> None:
    _locked(batch).delete()


def confirm(*, batch: ImportBatch, skips_faults: bool, confirmed: bool, actor: Actor, now: datetime) -> ImportBatch:
    """Store what the preview showed, at once or, where it is large, by a worker. One that failed can be tried again.

    Raises Conflict when it was confirmed already, Invalid while cells cannot be read and are not to be skipped,
    ConfirmationNeeded for scores of more than ten times the points.
    """
    with transaction.atomic():
        batch = _locked(batch)
        if batch.preview["faults"] and not skips_faults:
            raise Invalid(
                f"{len(batch.preview['faults'])} cells or rows cannot be read, see `faults` of the preview: correct "
                'the file, or send `{"skip_faults": true}`.'
            )
        far = [change for change in batch.preview.get("changes", ()) if change["needs_confirmation"]]
        if far and not confirmed:
            lines = ", ".join(str(change["line"]) for change in far[:20])
            raise gradebook.ConfirmationNeeded(
                f"{len(far)} scores are more than {gradebook.CONFIRMED_ABOVE_TIMES} times the points (rows {lines}): "
                'send `{"confirmed": true}` if they are meant so.'
            )
        # The person who confirms is the author of the changes.
        batch.author, batch.via = actor.author, actor.via
        batch.progress, batch.starts, batch.outcome = ImportBatch.Progress.QUEUED, 0, {}
        batch.save(update_fields=["author", "via", "progress", "starts", "outcome"])
    if batch.rows_total < QUEUED_FROM:
        run(batch_id=batch.pk, now=now)
        batch.refresh_from_db()
    return batch


def run(*, batch_id: int, now: datetime) -> bool:
    """Store a confirmed import, unless another worker has; returns whether this one did.

    All of it is one transaction, its outcome too: a worker that is killed has stored nothing. Whatever else ends it
    is kept as the outcome, and raised.
    """
    if not _claim(batch_id=batch_id, now=now):
        return False
    try:
        with progress.telling(batch_id=batch_id) as told, transaction.atomic():
            batch = ImportBatch.objects.select_for_update(of=("self",)).select_related("course").get(pk=batch_id)
            if (batch.progress, batch.claimed_at) != (ImportBatch.Progress.RUNNING, now):
                return False
            if batch.content == GRADES:
                batch.outcome = _store_grades(batch, told, now=now)
            else:
                batch.outcome = rosters.store(batch=batch, now=now)
            batch.progress, batch.finished_at, batch.file = ImportBatch.Progress.DONE, now, None
            batch.rows_done = batch.rows_total
            batch.save(update_fields=["progress", "finished_at", "file", "outcome", "rows_done"])
    except Exception as error:
        detail = error.detail if isinstance(error, Problem) else "The service failed, and its log says more."
        ImportBatch.objects.filter(pk=batch_id, claimed_at=now).update(
            progress=ImportBatch.Progress.FAILED, finished_at=now, outcome={"detail": f"Nothing was stored. {detail}"}
        )
        logger.warning("import failed batch=%s: %s", batch_id, detail)
        raise
    logger.info(
        "file imported course=%s batch=%s content=%s author=%s",
        batch.course.code,
        batch.pk,
        batch.content,
        batch.author,
    )
    return True


def waiting(*, now: datetime) -> list[int]:
    """Imports that no worker has, the oldest first."""
    return list(ImportBatch.objects.filter(_is_waiting(now)).order_by("pk").values_list("pk", flat=True))


def prune(*, now: datetime) -> int:
    """Delete old unconfirmed previews and failed imports; returns how many."""
    old = ImportBatch.objects.filter(progress__in=OPEN, created_at__lt=now - PREVIEW_KEPT)
    return old.delete()[0]


def find(*, course: Course, batch_id: int, with_preview: bool = True) -> ImportBatch:
    """Find an import, without the file, and without the preview, of up to ten megabytes, where it is not asked for.
    Raises NotFound.
    """
    imports = ImportBatch.objects.select_related("course").defer("file", *(() if with_preview else ("preview",)))
    batch = imports.filter(course=course, source=Source.IMPORT, pk=batch_id).first()
    if batch is None:
        raise NotFound(f"There is no import {batch_id} in {course.code!r}: GET /v1/courses/{course.code}/batches.")
    return batch


def _read(course: Course, file: bytes, options: Options) -> dict[str, Any]:
    table = tables.read(file, separator=options.separator)
    reading = {"encoding": table.encoding, "separator": table.separator, "rows": len(table.rows)}
    if options.content == ROSTER:
        return {"reading": reading, **rosters.read(course=course, table=table, mapping=options.mapping or {})}
    return {"reading": reading, **_read_grades(course, table, options)}


def _read_grades(course: Course, table: tables.Table, options: Options) -> dict[str, Any]:
    plan = standings.read_plan(course=course, with_unpublished=True)
    enrollments = standings.read_enrollments(course=course)
    roll = people.Roll(each.student for each in enrollments if each.student is not None)
    guessed = file_columns.guess(table.header, plan.assignments, trusts_ids=False)
    trusts_ids = roll.is_ours(words for _, words in gradefile.students_rows(table, guessed))
    if trusts_ids:
        guessed = file_columns.guess(table.header, plan.assignments, trusts_ids=True)
    chosen = _mapped(guessed, options.mapping or {}, plan, gradefile.possible_points(table))
    found = gradefile.preview(
        table,
        chosen,
        roll=roll,
        assignments=plan.assignments,
        present={
            (student_id, assignment_id): grade
            for student_id, grades in standings.read_grades(plan=plan).items()
            for assignment_id, grade in grades.items()
        },
        trusts_ids=trusts_ids,
        clears_blanks=options.clears_blanks,
    )
    return {
        "columns": [column.body() for column in chosen],
        "trusts_ids": trusts_ids,
        "changes": [change.body() for change in found.changes],
        "faults": list(found.faults),
        "unknown": list(found.unknown),
        "same": found.same,
        "blank": found.blank,
    }


def _mapped(
    guessed: Sequence[Column], mapping: Mapping[str, Mapping[str, Any]], plan: standings.Plan, points: Mapping[int, str]
) -> list[Column]:
    """The guessed columns, changed as somebody says. Raises Invalid."""
    by_index = {column.index: column for column in guessed}
    for key, said in mapping.items():
        index = int(key)
        if index not in by_index:
            raise _invalid(f"/columns/{key}", f"The file has {len(guessed)} columns, counted from 0.")
        column = replace(by_index[index], why="as you said", assignment_id=None)
        meaning = said["meaning"]
        if meaning == "assignment":
            if said.get("assignment") not in plan.assignments:
                raise _invalid(f"/columns/{key}/assignment", "Expected the id of an assignment of the course.")
            column = replace(column, meaning="assignment", assignment_id=said["assignment"])
        elif meaning == "new":
            column = _new(column, said, plan, points.get(index))
        elif meaning == "ignored" or meaning in file_columns.IDENTITIES:
            column = replace(column, meaning=meaning)
        else:
            names = ", ".join(("assignment", "new", "ignored", *file_columns.IDENTITIES))
            raise _invalid(f"/columns/{key}/meaning", f"{meaning!r} is none of {names}.")
        by_index[index] = column
    return list(by_index.values())


def _new(column: Column, said: Mapping[str, Any], plan: standings.Plan, points: str | None) -> Column:
    if said.get("category") not in plan.categories:
        raise _invalid(f"/columns/{column.index}/category", "Expected the id of a category of the course.")
    text = said.get("points") or (points or "").replace(",", ".")
    try:
        read_amount(text)
    except ValueError as error:
        if not text:
            detail = f"Say how many points {column.header!r} has: the file has no row `Points Possible` that says it."
            raise _invalid(f"/columns/{column.index}/points", detail) from error
        raise _invalid(f"/columns/{column.index}/points", str(error)) from error
    title = file_columns.title_of(column.header)
    if not title or len(title) > 200:
        raise _invalid(f"/columns/{column.index}", "The column's header is no title of an assignment.")
    if any(each.title == title and each.category_id == said["category"] for each in plan.assignments.values()):
        raise _invalid(f"/columns/{column.index}", f"The category holds an assignment {title!r} already: choose it.")
    return replace(column, meaning="new", category_id=said["category"], points=text)


def _store_grades(batch: ImportBatch, told: Progress, *, now: datetime) -> dict[str, Any]:
    changes = batch.preview["changes"]
    actor = Actor(author=batch.author, username=None, via=batch.via)
    made = _make_assignments(batch)
    edits = [
        gradebook.Edit(
            student_id=change["student"],
            assignment_id=made.get(change["assignment"], change["assignment"]),
            patch=GradePatch(
                score=None if change["new"]["score"] is None else Decimal(change["new"]["score"]),
                status=Status(change["new"]["status"]),
                late_deduction=Decimal(change["new"]["late_deduction"]),
                comment=change["new"]["comment"],
                confirmed=True,
            ),
            expected_version=change["version"],
        )
        for change in changes
    ]
    stored, refused = 0, list[gradebook.Refusal]()
    # In the order in which all writers do, before the parts are stored one after the other.
    totals.lock(course=batch.course, student_ids={edit.student_id for edit in edits})
    for start in range(0, len(edits), _ROWS_AT_ONCE):
        outcome = gradebook.store(
            course=batch.course,
            edits=edits[start : start + _ROWS_AT_ONCE],
            actor=actor,
            source=Source.IMPORT,
            batch=batch,
            now=now,
            refused="rows",
        )
        stored += sum(each.change is not None for each in outcome.stored)
        refused += [replace(each, index=start + each.index) for each in outcome.refused]
        told.rows_done = min(start + _ROWS_AT_ONCE, len(edits))
    return {
        "stored": stored,
        "assignments_made": sorted(made.values()),
        "refused": [
            {
                "line": changes[refusal.index]["line"],
                "grade": representation.grade_id(edits[refusal.index].student_id, edits[refusal.index].assignment_id),
                "detail": refusal.problem.detail,
                **refusal.problem.members,
            }
            for refusal in refused
        ],
    }


def _make_assignments(batch: ImportBatch) -> dict[int, int]:
    """The assignments that the mapping says are new, by the ids that the preview gave them."""
    made = {}
    for column in batch.preview["columns"]:
        if column["meaning"] == "new":
            draft = AssignmentDraft(
                title=file_columns.title_of(column["header"]),
                category=column["category"],
                points=Decimal(column["points"]),
            )
            made[-column["index"] - 1] = courses.create_assignment(course=batch.course, draft=draft).pk
    return made


def _locked(batch: ImportBatch) -> ImportBatch:
    """The import as it is now, held until commit. Raises NotFound, and Conflict when it was confirmed already."""
    found = ImportBatch.objects.select_for_update(of=("self",)).select_related("course").filter(pk=batch.pk).first()
    if found is None:
        raise NotFound(f"The import {batch.pk} was thrown away meanwhile.")
    if found.progress not in OPEN:
        raise Conflict(f"Import {batch.pk} was confirmed already: it is {found.progress}.")
    return found


@transaction.atomic
def _claim(*, batch_id: int, now: datetime) -> bool:
    """Take a confirmed import up, or one that a dead worker left, and commit that.

    A worker that lives holds the row locked from its next transaction on, and so is passed over.
    """
    waiting = ImportBatch.objects.select_for_update(skip_locked=True).filter(_is_waiting(now), pk=batch_id)
    batch = waiting.defer("file", "preview").first()
    if batch is None:
        return False
    batch.progress, batch.claimed_at, batch.starts = ImportBatch.Progress.RUNNING, now, batch.starts + 1
    if batch.starts > 1:
        logger.warning("import %s was left by a worker that ended amid it: start %s", batch_id, batch.starts)
    if batch.starts > MOST_STARTS:
        detail = f"Nothing was stored. {MOST_STARTS} workers ended amid this import: divide the file."
        batch.progress, batch.finished_at, batch.outcome = ImportBatch.Progress.FAILED, now, {"detail": detail}
    batch.save(update_fields=["progress", "claimed_at", "starts", "finished_at", "outcome"])
    return batch.progress == ImportBatch.Progress.RUNNING


def _is_waiting(now: datetime) -> Q:
    # A claim that begins in the future was made by a clock that was ahead.
    is_over = Q(claimed_at__lt=now - LEASE) | Q(claimed_at__gt=now + SKEW)
    return Q(progress=ImportBatch.Progress.QUEUED) | (Q(progress=ImportBatch.Progress.RUNNING) & is_over)


def _size(shown: Mapping[str, Any]) -> int:
    return len(shown.get("changes", shown.get("people", ())))


def _invalid(pointer: str, detail: str) -> Invalid:
    return Invalid("See `errors` for each member.", errors=[{"pointer": pointer, "detail": detail}])
