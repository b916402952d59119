"""A course to look around in: thirty students in two sections, and most of their grades, the same every time."""

import random
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal

from django.db import transaction

from config.problems import Conflict
from grading import courses, enrolling, gradebook
from grading.access import Actor
from grading.drafts import (
    AssignmentDraft,
    CategoryDraft,
    CourseDraft,
    EnrollmentDraft,
    GradePatch,
    SectionDraft,
    StudentDraft,
    TermDraft,
)
from grading.gradebook import Edit
from grading.models import Assignment, Course, ImportBatch, Kind, Role, Source, Status, Student, Term

TEACHER, ASSISTANT = "teacher", "assistant"
TERM = TermDraft(code="2026-autumn", title="Autumn 2026", starts_on=date(2026, 9, 1), ends_on=date(2026, 12, 18))
COURSE = CourseDraft(
    code="algebra-1",
    title="Algebra I",
    term=TERM.code,
    teachers=(TEACHER,),
    categories=(
        CategoryDraft(title="Homework", kind=Kind.HOMEWORK, weight=Decimal(30), drop_lowest=1),
        CategoryDraft(title="Tests", kind=Kind.TEST, weight=Decimal(50)),
        CategoryDraft(title="Quizzes", kind=Kind.QUIZ, weight=Decimal(20)),
    ),
)
SECTIONS = ("Morning", "Afternoon")
# The last is graded but not posted: its grades are hidden from students.
ASSIGNMENTS = (
    (Kind.HOMEWORK, "Homework 1: Order of operations", 10, date(2026, 9, 11)),
    (Kind.QUIZ, "Quiz 1: Signed numbers", 15, date(2026, 9, 18)),
    (Kind.HOMEWORK, "Homework 2: Expressions", 10, date(2026, 9, 25)),
    (Kind.TEST, "Test 1: Expressions", 100, date(2026, 10, 9)),
    (Kind.HOMEWORK, "Homework 3: Linear equations", 20, date(2026, 10, 23)),
    (Kind.QUIZ, "Quiz 2: Slope and intercept", 15, date(2026, 11, 6)),
    (Kind.TEST, "Test 2: Equations and lines", 100, date(2026, 11, 20)),
    (Kind.HOMEWORK, "Homework 4: Inequalities", 20, date(2026, 12, 4)),
    (Kind.QUIZ, "Quiz 3: Systems of equations", 15, date(2026, 11, 27)),
)
HOMEWORK_4, QUIZ_3 = 7, 8
NAMES = (
    *("Amara Okafor", "Liam Novák", "Sofía Hernández", "Noah Lindqvist", "Aiko Tanaka", "Ethan Brooks"),
    *("Fatima Al-Sayed", "Mateo Rossi", "Chloe Dubois", "Arjun Mehta", "Hannah Schneider", "Tomasz Kowalski"),
    *("Zanele Dlamini", "Oliver Bennett", "Mei Lin Chen", "Lucas Ferreira", "Ingrid Haugen", "Samuel Adeyemi"),
    *("Priya Raman", "Jack O'Sullivan", "Leila Haddad", "Daniel Kim", "Elena Petrova", "Marcus Johnson"),
    *("Yara Cohen", "Finn McAllister", "Nguyen Thi Mai", "Isabel Costa", "Emre Şahin", "Grace Whitfield"),
)
# The first can sign in to the web UI, which has an account of that name.
FIRST_USERNAME = "student"
# By row and column.
BLANK = {(0, HOMEWORK_4), (2, 2), (6, 0), (9, 4), (13, 6), (17, 3), (20, 0), (24, 4), (27, 1)}
SPECIAL = {
    (4, 5): GradePatch(score=None, status=Status.EXCUSED, comment="Was ill; excused."),
    (0, 2): GradePatch(
        score=Decimal(9),
        status=Status.LATE,
        late_deduction=Decimal(1),
        comment="A day late. Nice work on the last one.",
    ),
    (13, 5): GradePatch(score=None, status=Status.MISSING),
    (20, 2): GradePatch(score=None, status=Status.MISSING, comment="Hand it in by Friday."),
    (11, 6): GradePatch(score=Decimal(41), status=Status.INCOMPLETE, comment="Part B is still to be written."),
}


@transaction.atomic
def load(*, now: datetime) -> bool:
    """Load the course; returns whether it was loaded: not when a course of its code is there, whatever its state."""
    if Course.objects.filter(code=COURSE.code).exists():
        return False
    if not Term.objects.filter(code=TERM.code).exists():
        courses.create_term(draft=TERM)
    try:
        course = courses.create_course(draft=COURSE, now=now)
    except Conflict:
        return False
    sections = [courses.create_section(course=course, draft=SectionDraft(title=title)).pk for title in SECTIONS]
    enrolling.create_enrollment(course=course, draft=EnrollmentDraft(role=Role.ASSISTANT, username=ASSISTANT), now=now)
    categories = {category.kind: category.pk for category in course.categories.all()}
    assignments = [
        courses.create_assignment(
            course=course,
            draft=AssignmentDraft(
                title=title, category=categories[kind], points=Decimal(points), due_on=due_on, posted=column != QUIZ_3
            ),
        )
        for column, (kind, title, points, due_on) in enumerate(ASSIGNMENTS)
    ]
    students = []
    for number, name in enumerate(NAMES, start=1):
        username = FIRST_USERNAME if number == 1 else f"student{number:02}"
        draft = StudentDraft(
            name=name, username=username, sis_id=f"S-{2026000 + number}", section=sections[number > len(NAMES) // 2]
        )
        students.append(enrolling.enrol(course=course, draft=draft, now=now)[0])
    edits = list(_edits(students, assignments))
    batch = ImportBatch.objects.create(
        course=course,
        source=Source.BULK,
        author=TEACHER,
        created_at=now,
        finished_at=now,
        rows_done=len(edits),
        rows_total=len(edits),
    )
    gradebook.store(
        course=course,
        edits=edits,
        actor=Actor.person(TEACHER, via="load_demo"),
        source=Source.BULK,
        batch=batch,
        now=now,
    )
    return True


def _edits(students: list[Student], assignments: list[Assignment]) -> Iterator[Edit]:
    chance = random.Random(1)
    for row, student in enumerate(students):
        ability = min(chance.gauss(0.84, 0.09), 0.97)
        for column, assignment in enumerate(assignments):
            share = min(max(chance.gauss(ability, 0.08), 0.3), 1.0)
            # Homework 4 is graded for every third student so far.
            if (row, column) in BLANK or (column == HOMEWORK_4 and row % 3):
                continue
            score = Decimal(round(share * float(assignment.points) * 2)) / 2
            patch = SPECIAL.get((row, column), GradePatch(score=score))
            yield Edit(student_id=student.pk, assignment_id=assignment.pk, patch=patch, expected_version=0)
