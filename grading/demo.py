"""A course to look around in: thirty students, eight assignments and most of their grades, the same every time."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.db import transaction

from config.problems import Conflict
from grading import courses, enrolling, totals
from grading.drafts import AssignmentDraft, CategoryDraft, CourseDraft, StudentDraft
from grading.models import Assignment, Course, Grade, GradeChange, Kind, Status, Student

TEACHER = "teacher"
COURSE = CourseDraft(
    code="algebra-1",
    title="Algebra I",
    teachers=(TEACHER,),
    categories=(
        CategoryDraft(title="Homework", kind=Kind.HOMEWORK, weight=Decimal(30), drop_lowest=1),
        CategoryDraft(title="Tests", kind=Kind.TEST, weight=Decimal(50)),
        CategoryDraft(title="Quizzes", kind=Kind.QUIZ, weight=Decimal(20)),
    ),
)
ASSIGNMENTS = (
    (Kind.HOMEWORK, "Homework 1: Order of operations", 10, date(2026, 9, 11)),
    (Kind.QUIZ, "Quiz 1: Signed numbers", 15, date(2026, 9, 18)),
    (Kind.HOMEWORK, "Homework 2: Expressions", 10, date(2026, 9, 25)),
    (Kind.TEST, "Test 1: Expressions", 100, date(2026, 10, 9)),
    (Kind.HOMEWORK, "Homework 3: Linear equations", 20, date(2026, 10, 23)),
    (Kind.QUIZ, "Quiz 2: Slope and intercept", 15, date(2026, 11, 6)),
    (Kind.TEST, "Test 2: Equations and lines", 100, date(2026, 11, 20)),
    (Kind.HOMEWORK, "Homework 4: Inequalities", 20, date(2026, 12, 4)),
)
NAMES = (
    *("Amara Okafor", "Liam Novák", "Sofía Hernández", "Noah Lindqvist", "Aiko Tanaka", "Ethan Brooks"),
    *("Fatima Al-Sayed", "Mateo Rossi", "Chloe Dubois", "Arjun Mehta", "Hannah Schneider", "Tomasz Kowalski"),
    *("Zanele Dlamini", "Oliver Bennett", "Mei Lin Chen", "Lucas Ferreira", "Ingrid Haugen", "Samuel Adeyemi"),
    *("Priya Raman", "Jack O'Sullivan", "Leila Haddad", "Daniel Kim", "Elena Petrova", "Marcus Johnson"),
    *("Yara Cohen", "Finn McAllister", "Nguyen Thi Mai", "Isabel Costa", "Emre Şahin", "Grace Whitfield"),
)
# The first can sign in to the web UI, which has an account of that name.
FIRST_USERNAME = "student"
# By row and column; the last assignment is graded for every third student so far, but not for the first.
EXCUSED = {(4, 5)}
MISSING = {(0, 7), (2, 2), (6, 0), (9, 4), (13, 5), (13, 6), (17, 3), (20, 0), (20, 2), (24, 4), (27, 1)}


@dataclass(frozen=True, kw_only=True)
class _Result:
    student: Student
    assignment: Assignment
    score: Decimal | None
    excused: bool


@transaction.atomic
def load(*, now: datetime) -> bool:
    """Whether it was loaded: not when a course of its code is there, whatever became of it."""
    try:
        course = courses.create_course(draft=COURSE, now=now)
    except Conflict:
        return False
    assignments = _create_assignments(course)
    students = [enrolling.enrol(course=course, draft=draft, now=now)[0] for draft in _student_drafts()]
    _store(list(_results(students, assignments)), now=now)
    totals.refresh(course=course)
    return True


def _create_assignments(course: Course) -> list[Assignment]:
    categories = {category.kind: category.pk for category in course.categories.all()}
    drafts = (
        AssignmentDraft(title=title, category=categories[kind], points=Decimal(points), due_on=due_on)
        for kind, title, points, due_on in ASSIGNMENTS
    )
    return [courses.create_assignment(course=course, draft=draft) for draft in drafts]


def _student_drafts() -> Iterator[StudentDraft]:
    for number, name in enumerate(NAMES, start=1):
        yield StudentDraft(name=name, username=FIRST_USERNAME if number == 1 else f"student{number:02}")


def _results(students: list[Student], assignments: list[Assignment]) -> Iterator[_Result]:
    chance = random.Random(1)
    for row, student in enumerate(students):
        ability = min(chance.gauss(0.84, 0.09), 0.97)
        for column, assignment in enumerate(assignments):
            score, excused = _score(chance, ability, assignment.points), (row, column) in EXCUSED
            if _is_graded(row, column):
                yield _Result(student=student, assignment=assignment, score=None if excused else score, excused=excused)


def _is_graded(row: int, column: int) -> bool:
    return (row, column) not in MISSING and (column < len(ASSIGNMENTS) - 1 or row % 3 == 0)


def _score(chance: random.Random, ability: float, points: Decimal) -> Decimal:
    """In halves of a point."""
    share = min(max(chance.gauss(ability, 0.08), 0.3), 1.0)
    return Decimal(round(share * float(points) * 2)) / 2


def _store(results: list[_Result], *, now: datetime) -> None:
    grades = Grade.objects.bulk_create(
        Grade(
            student=result.student,
            assignment=result.assignment,
            score=result.score,
            status=Status.EXCUSED if result.excused else Status.NONE,
            updated_at=now,
            updated_by=TEACHER,
        )
        for result in results
    )
    GradeChange.objects.bulk_create(
        GradeChange(grade=grade, version=1, at=now, author=TEACHER, score_after=grade.score, status_after=grade.status)
        for grade in grades
    )
