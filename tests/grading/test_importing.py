"""Imports that a worker stores: one that fails or is killed has stored nothing, and is tried again."""

from datetime import timedelta
from typing import Any

import pytest

from config.problems import Conflict
from grading import importing
from grading.access import Actor
from grading.importing import LEASE, MOST_STARTS
from grading.models import Course, Grade, ImportBatch
from tests.grading import factories
from tests.grading.factories import NOW, TEACHER

pytestmark = pytest.mark.django_db

ACTOR = Actor.person(TEACHER)
LATER = NOW + LEASE + timedelta(seconds=1)
FILE = b"username,Essay,Quiz\nada,7,3\nbob,8,4\n"


@pytest.fixture
def course() -> Course:
    course = factories.course()
    for username in ("ada", "bob"):
        factories.student(course, username)
    factories.assignment(course, "Essay")
    return course


def preview(course: Course, **mapping: Any) -> ImportBatch:
    options = importing.Options(mapping={"2": {"meaning": "new", "points": "5", **mapping}} if mapping else None)
    return importing.preview(course=course, file=FILE, filename="", options=options, actor=ACTOR, now=NOW)


def confirm(batch: ImportBatch) -> ImportBatch:
    return importing.confirm(batch=batch, skips_faults=False, confirmed=False, actor=ACTOR, now=NOW)


def killed(batch: ImportBatch, *, starts: int) -> ImportBatch:
    """An import as the last of so many workers left it that were killed amid it."""
    batch.progress, batch.claimed_at, batch.starts = ImportBatch.Progress.RUNNING, NOW, starts
    batch.save()
    return batch


def test_an_import_that_fails_says_why_and_is_confirmed_again(course: Course) -> None:
    batch = preview(course, category=factories.category(course).pk)
    taken = factories.assignment(course, "Quiz")
    with pytest.raises(Conflict, match="choose another title"):
        confirm(batch)
    batch.refresh_from_db()
    assert batch.progress == ImportBatch.Progress.FAILED
    assert batch.outcome["detail"].startswith("Nothing was stored. 'Homework' holds an assignment 'Quiz' already")
    assert not Grade.objects.exists()

    taken.delete()
    assert confirm(batch).progress == ImportBatch.Progress.DONE
    assert Grade.objects.count() == 4


def test_a_decimal_comma_that_divides_its_cell_is_a_fault_and_not_half_a_score(course: Course) -> None:
    file = b"username,Essay\nada,7,5\nbob,8,,\n"
    batch = importing.preview(course=course, file=file, filename="", options=importing.Options(), actor=ACTOR, now=NOW)

    [change] = batch.preview["changes"]
    assert (change["line"], change["new"]["score"]) == (3, "8")
    [fault] = batch.preview["faults"]
    assert (fault["line"], fault["text"]) == (2, "ada")
    assert fault["detail"].startswith("The row has 3 cells, and the header 2")


def test_a_name_with_a_comma_outside_of_quotes_enrols_nobody_else(course: Course) -> None:
    file = b"name,username\nStone, Carl,carl\n"
    options = importing.Options(content=importing.ROSTER)
    batch = importing.preview(course=course, file=file, filename="", options=options, actor=ACTOR, now=NOW)

    assert batch.preview["people"] == []
    [fault] = batch.preview["faults"]
    assert fault["detail"].startswith("The row has 3 cells, and the header 2")


def test_a_failed_import_is_read_otherwise_or_thrown_away(course: Course) -> None:
    batch = preview(course)
    ImportBatch.objects.update(progress=ImportBatch.Progress.FAILED, outcome={"detail": "Nothing was stored."})
    again = importing.remap(batch=batch, options=importing.Options(clears_blanks=True))
    assert (again.progress, again.outcome) == (ImportBatch.Progress.PREVIEW, {})
    importing.cancel(batch=batch)
    assert not ImportBatch.objects.exists()


def test_an_import_whose_worker_was_killed_is_taken_up_by_another_once_the_lease_is_over(course: Course) -> None:
    batch = killed(preview(course), starts=1)
    assert importing.waiting(now=NOW + LEASE) == []
    assert not importing.run(batch_id=batch.pk, now=NOW + LEASE)
    assert importing.waiting(now=LATER) == [batch.pk]
    assert importing.run(batch_id=batch.pk, now=LATER)
    batch.refresh_from_db()
    assert (batch.progress, batch.starts) == (ImportBatch.Progress.DONE, 2)
    assert Grade.objects.count() == 2


def test_an_import_that_was_taken_up_by_a_clock_ahead_is_taken_up_by_another(course: Course) -> None:
    batch = killed(preview(course), starts=1)

    assert importing.waiting(now=NOW - timedelta(hours=1)) == [batch.pk]


def test_an_import_that_ends_every_worker_is_given_up_and_may_be_started_again(course: Course) -> None:
    batch = killed(preview(course), starts=MOST_STARTS)
    assert not importing.run(batch_id=batch.pk, now=LATER)
    batch.refresh_from_db()
    assert batch.progress == ImportBatch.Progress.FAILED
    assert "divide the file" in batch.outcome["detail"]
    assert importing.waiting(now=LATER) == []
    again = confirm(batch)
    assert (again.progress, again.starts) == (ImportBatch.Progress.DONE, 1)


def test_failed_imports_are_forgotten_with_their_files_as_previews_are(course: Course) -> None:
    for progress in (ImportBatch.Progress.FAILED, ImportBatch.Progress.PREVIEW, ImportBatch.Progress.DONE):
        ImportBatch.objects.filter(pk=preview(course).pk).update(progress=progress)
    assert importing.prune(now=NOW + importing.PREVIEW_KEPT) == 0
    assert importing.prune(now=NOW + importing.PREVIEW_KEPT + timedelta(seconds=1)) == 2
    assert ImportBatch.objects.get().progress == ImportBatch.Progress.DONE
