"""Writers with a database of their own, in processes that tests run and kill.

The unit tests' database lives inside one transaction, where nothing can be raced and no commit can be lost.
"""

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from itertools import count

from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from config.problems import PreconditionFailed
from grading import gradebook
from grading.access import Actor
from grading.drafts import GradeDraft
from grading.models import Assignment, Grade, GradeChange, Student
from tests.grading import factories

WRITERS = 6
POINTS_EACH = 5


def race() -> None:
    """Each writer adds its points one by one, looking again whenever another was quicker."""
    student, assignment = _prepare()
    with ThreadPoolExecutor(WRITERS) as threads:
        list(threads.map(lambda _: _add_points(student, assignment), range(WRITERS)))
    grade = Grade.objects.get()
    print(grade.score, grade.version, GradeChange.objects.count())  # noqa: T201 -- whoever started it reads this


def endless() -> None:
    """Print every score that was acknowledged, until somebody ends this."""
    student, assignment = _prepare()
    for score in count(1):
        _record(student, assignment, Decimal(score), expected_version=score - 1)
        print(score, flush=True)  # noqa: T201 -- whoever started it reads this


def _prepare() -> tuple[Student, Assignment]:
    call_command("migrate", "grading", verbosity=0)
    course = factories.course()
    return factories.student(course), factories.assignment(course)


def _add_points(student: Student, assignment: Assignment) -> None:
    for _ in range(POINTS_EACH):
        while not _add_point(student, assignment):
            pass
    connection.close()


def _add_point(student: Student, assignment: Assignment) -> bool:
    seen = gradebook.find_grade(student=student, assignment=assignment)
    score = seen.score if seen and seen.score else Decimal(0)
    try:
        _record(student, assignment, score + 1, expected_version=seen.version if seen else 0)
    except PreconditionFailed:
        return False
    return True


def _record(student: Student, assignment: Assignment, score: Decimal, *, expected_version: int) -> None:
    gradebook.record_grade(
        student=student,
        assignment=assignment,
        patch=GradeDraft(score=score),
        expected_version=expected_version,
        actor=Actor.person(factories.TEACHER),
        now=timezone.now(),
    )
