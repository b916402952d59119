"""Writers with a database of their own, in processes that tests run and kill.

The unit tests' database lives inside one transaction, where nothing can be raced and no commit can be lost.
"""

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from itertools import count

from django.core.management import call_command
from django.db import IntegrityError, connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from config import baseline
from config.problems import PreconditionFailed
from grading import bulk, enrolling, gradebook, importing, standings, totals
from grading.access import Actor
from grading.drafts import BulkDraft, BulkGrade, EnrollmentPatch, GradeDraft
from grading.models import Assignment, Course, Enrollment, Grade, GradeChange, Role, State, Student
from tests.grading import factories

TEACHERS = 2
EDITS_EACH = 30
STUDENTS = 12
ASSIGNMENTS = 10


def make() -> None:
    """Make the tables as a start does, and leave them in one file, for the other writers to find."""
    if not baseline.load():
        _migrate()
    connection.close()


def prepare() -> None:
    """A course of one student and one assignment."""
    course = factories.course()
    factories.student(course)
    factories.assignment(course)


def race() -> None:
    """Two teachers in threads edit the same cell while a third moves the student about: how many edits were stored, how
    many students' totals are none of theirs, and the score as the gradebook reads it, in hundredths."""
    prepare()
    with ThreadPoolExecutor(TEACHERS + 1) as threads:
        moving = threads.submit(_move_and_close)
        counts = list(threads.map(_edit_and_close, range(TEACHERS)))
        moving.result()
    [cell] = standings.read_cells(assignment_ids=Assignment.objects.values_list("pk", flat=True))
    print(sum(counts), len(totals.differences(course=Course.objects.get())), cell[2])


def edit() -> None:
    """One teacher's edits, beside those of another process: how many were stored, and how many were refused."""
    print(*_edit())


def endless() -> None:
    """Print every score that was acknowledged, until somebody ends this."""
    prepare()
    for score in count(1):
        _record(Decimal(score), expected_version=score - 1)
        print(score, flush=True)


def endless_bulk() -> None:
    """Write every cell at once, again and again, and print each version that was acknowledged."""
    course = _prepare_many()
    for version in count():
        cells = [
            BulkGrade(student=student.pk, assignment=assignment.pk, version=version, score=Decimal(version + 1))
            for student in Student.objects.all()
            for assignment in Assignment.objects.all()
        ]
        draft = BulkDraft(grades=tuple(cells), confirmed=True)
        bulk.store(course=course, draft=draft, key=None, actor=_actor(), now=timezone.now())
        print(version + 1, flush=True)


def endless_import() -> None:
    """Import a file of every cell, again and again, and print each version that was acknowledged."""
    course = _prepare_many()
    for version in count(1):
        header = ["username", *(f"Work {number}" for number in range(ASSIGNMENTS))]
        rows = [[f"student{number}", *[str(version)] * ASSIGNMENTS] for number in range(STUDENTS)]
        file = "\n".join(",".join(row) for row in [header, *rows]).encode()
        batch = importing.preview(
            course=course, file=file, filename="", options=importing.Options(), actor=_actor(), now=timezone.now()
        )
        importing.confirm(batch=batch, skips_faults=False, confirmed=True, actor=_actor(), now=timezone.now())
        print(version, flush=True)


def migrated() -> None:
    """Data of the first release, and what the migrations make of it."""
    executor = MigrationExecutor(connection)
    executor.migrate([("grading", "0001_initial")])
    old = executor.loader.project_state([("grading", "0001_initial")]).apps
    model = {name: old.get_model("grading", name) for name in ("Course", "Teacher", "Category", "Student")}
    course = model["Course"].objects.create(code="algebra", title="Algebra")
    model["Teacher"].objects.create(course=course, username="ms-rivera")
    category = model["Category"].objects.create(course=course, kind="test", title="Tests", weight=100)
    ada = model["Student"].objects.create(name="Ada", username="ada")
    now = timezone.now()
    old.get_model("grading", "Enrollment").objects.create(course=course, student=ada, enrolled_at=now)
    for title, score, excused in (("One", 9, False), ("Two", None, True)):
        assignment = old.get_model("grading", "Assignment").objects.create(category=category, title=title, points=10)
        members = {"score": score, "excused": excused, "updated_at": now, "updated_by": "ms-rivera"}
        grade = old.get_model("grading", "Grade").objects.create(student=ada, assignment=assignment, **members)
        old.get_model("grading", "GradeChange").objects.create(
            grade=grade, version=1, at=now, author="ms-rivera", score_after=score, excused_after=excused
        )
    _migrate()
    connection.close()
    teacher, student = Enrollment.objects.order_by("-role")
    print(teacher.role, teacher.username, student.role, student.current_percent, student.final_percent)
    print(*Grade.objects.order_by("pk").values_list("status", flat=True))
    print(*GradeChange.objects.order_by("pk").values_list("status_after", flat=True))
    print(*Assignment.objects.values_list("kind", flat=True))
    try:
        GradeChange.objects.update(author="eve")
    except IntegrityError as error:
        print("append-only" in str(error))


def _migrate() -> None:
    call_command("migrate", "grading", verbosity=0)


def _prepare_many() -> Course:
    course = factories.course()
    for number in range(ASSIGNMENTS):
        factories.assignment(course, f"Work {number}")
    for number in range(STUDENTS):
        factories.student(course, f"student{number}")
    return course


def _edit_and_close(_: int) -> int:
    try:
        return _edit()[0]
    finally:
        connection.close()


def _move_and_close() -> None:
    try:
        enrollment = Enrollment.objects.select_related("course").get(role=Role.STUDENT)
        for state in (State.COMPLETED, State.ACTIVE) * 10:
            enrolling.change_enrollment(enrollment=enrollment, patch=EnrollmentPatch(state=state))
    finally:
        connection.close()


def _edit() -> tuple[int, int]:
    """Add a point until enough were added, looking again whenever another was quicker."""
    stored = refused = 0
    while stored < EDITS_EACH:
        seen = Grade.objects.first()
        score = seen.score if seen and seen.score else Decimal(0)
        try:
            _record(score + 1, expected_version=seen.version if seen else 0)
        except PreconditionFailed as conflict:
            theirs = conflict.members["theirs"]
            assert theirs["version"] > (seen.version if seen else 0)
            refused += 1
        else:
            stored += 1
    return stored, refused


def _record(score: Decimal, *, expected_version: int) -> None:
    gradebook.record_grade(
        student_id=Student.objects.get().pk,
        assignment=Assignment.objects.select_related("category__course").get(),
        patch=GradeDraft(score=score, confirmed=True),
        expected_version=expected_version,
        actor=_actor(),
        now=timezone.now(),
    )


def _actor() -> Actor:
    return Actor.person(factories.TEACHER)
