"""Students' grades and totals in a course, read with the same few queries however many they are."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

from django.db import connection
from msgspec import Struct

from grading import rows, scoring
from grading.models import (
    Assignment,
    Category,
    Course,
    Enrollment,
    Grade,
    GradeStep,
    Role,
    Scheme,
    State,
    Status,
    Student,
)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Categories, assignments and letters of a course."""

    course: Course
    categories: dict[int, Category]
    assignments: dict[int, Assignment]
    letters: scoring.Letters

    @property
    def is_weighted(self) -> bool:
        return self.course.scheme == Scheme.WEIGHTED

    @property
    def hides_grades(self) -> bool:
        """Whether grades of a published assignment are not posted yet."""
        return any(not assignment.posted for assignment in self.assignments.values())

    def scored(self, grades: Mapping[int, Grade]) -> list[scoring.Category]:
        """The calculator's view of one student's grades, given by assignment."""
        items: dict[int, list[scoring.Item]] = defaultdict(list)
        for assignment in self.assignments.values():
            items[assignment.category_id].append(_item(assignment, grades.get(assignment.pk)))
        return [_category(category, items[category.pk]) for category in self.categories.values()]


@dataclass(frozen=True, kw_only=True)
class Standing:
    """One student in the plan; `grades` by assignment, holding only those that somebody stored."""

    plan: Plan
    student: Student
    grades: Mapping[int, Grade]

    @cached_property
    def current(self) -> scoring.Total:
        return scoring.current(self.scored, weighted=self.plan.is_weighted)

    @cached_property
    def final(self) -> scoring.Total:
        return scoring.final(self.scored, weighted=self.plan.is_weighted)

    @cached_property
    def unposted_current(self) -> scoring.Total:
        if not self.plan.hides_grades:
            return self.current
        return scoring.current(self.scored, weighted=self.plan.is_weighted, with_unposted=True)

    @cached_property
    def unposted_final(self) -> scoring.Total:
        if not self.plan.hides_grades:
            return self.final
        return scoring.final(self.scored, weighted=self.plan.is_weighted, with_unposted=True)

    @cached_property
    def scored(self) -> list[scoring.Category]:
        return self.plan.scored(self.grades)


@dataclass(frozen=True, kw_only=True)
class Supposed(Standing):
    """A standing as if the student had other scores, given by assignment; nothing of it is stored."""

    scores: Mapping[int, Decimal | None]

    @cached_property
    def scored(self) -> list[scoring.Category]:
        return scoring.supposed(self.plan.scored(self.grades), self.scores)


def read_plan(*, course: Course, with_unpublished: bool) -> Plan:
    """Read with the course as it is stored now: its scheme may have changed since the caller found it."""
    course = next(iter(rows.select(Course, {"id": [course.pk]})), course)
    categories = {each.pk: each for each in rows.select(Category, {"course_id": [course.pk]}, order_by="position, id")}
    by_id = {}
    for assignment in rows.select(Assignment, {"category_id": categories}, order_by="position, id"):
        if assignment.published or with_unpublished:
            # Not by a join: every assignment of a category shares the one object.
            assignment.category = categories[assignment.category_id]
            by_id[assignment.pk] = assignment
    return Plan(course=course, categories=categories, assignments=by_id, letters=read_letters(course=course))


def read_letters(*, course: Course) -> scoring.Letters:
    """The course's scale, from the highest letter to the lowest."""
    if course.scale_id is None:
        return scoring.LETTERS
    steps = GradeStep.objects.filter(scale=course.scale_id).order_by("-least_percent")
    return {step.letter: step.least_percent for step in steps} or scoring.LETTERS


def read_standings(*, plan: Plan) -> list[Standing]:
    """Standings of all students who are in the course, by name."""
    enrollments = read_enrollments(course=plan.course)
    grades = read_grades(plan=plan)
    students = (enrollment.student for enrollment in enrollments)
    return [Standing(plan=plan, student=each, grades=grades[each.pk]) for each in students if each is not None]


def read_grades(*, plan: Plan, student_ids: Collection[int] | None = None) -> dict[int, dict[int, Grade]]:
    """Stored grades by student and assignment."""
    values: dict[str, Collection[int]] = {"assignment_id": plan.assignments}
    if student_ids is not None:
        values["student_id"] = student_ids
    found: dict[int, dict[int, Grade]] = defaultdict(dict)
    for grade in rows.select(Grade, values):
        found[grade.student_id][grade.assignment_id] = grade
    return found


def read_enrollments(*, course: Course) -> list[Enrollment]:
    """Enrollments of the students who have not dropped the course, by name."""
    enrollments = Enrollment.objects.filter(course=course, role=Role.STUDENT).exclude(state=State.DROPPED)
    return list(enrollments.select_related("student").order_by("student__name", "student_id"))


class Place(Struct, frozen=True, gc=False):
    """A student in a course with their totals as they are stored, read as a plain row: a model instance of each
    enrollment and each student takes several times as long."""

    student_id: int
    name: str
    username: str
    sis_id: str | None
    section_id: int | None
    state: str
    current_percent: str | None
    final_percent: str | None
    unposted_current_percent: str | None
    unposted_final_percent: str | None


_PLACE = tuple(
    f"student__{name}" if name in {"name", "username", "sis_id"} else name for name in Place.__struct_fields__
)


def read_places(*, course: Course, student_ids: Collection[int] | None = None) -> list[Place]:
    """The students who have not dropped the course, by name."""
    enrollments = Enrollment.objects.filter(course=course, role=Role.STUDENT).exclude(state=State.DROPPED)
    if student_ids is not None:
        enrollments = enrollments.filter(student__in=student_ids)
    return [Place(*row) for row in enrollments.order_by("student__name", "student_id").values_list(*_PLACE)]


@dataclass(frozen=True, kw_only=True)
class Neighbours:
    """The students before and after one, by name, and the one's `number` among the `count` of the course."""

    previous: tuple[int, str] | None
    following: tuple[int, str] | None
    number: int
    count: int


def read_names(*, course: Course) -> list[tuple[int, str]]:
    """The id and the name of each student who has not dropped the course, by name."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT student.id, student.name FROM grading_enrollment AS enrollment "
            "JOIN grading_student AS student ON student.id = enrollment.student_id "
            "WHERE enrollment.course_id = %s AND enrollment.role = %s AND enrollment.state <> %s "
            "ORDER BY student.name, student.id",
            [course.pk, Role.STUDENT, State.DROPPED],
        )
        found: list[tuple[int, str]] = cursor.fetchall()
    return found


def read_titles(*, course: Course) -> list[tuple[int, str]]:
    """The id and the title of each assignment, in their order."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, title FROM grading_assignment "
            "WHERE category_id IN (SELECT id FROM grading_category WHERE course_id = %s) ORDER BY position, id",
            [course.pk],
        )
        found: list[tuple[int, str]] = cursor.fetchall()
    return found


def read_neighbours(*, course: Course, student_id: int) -> Neighbours | None:
    """Read the student's neighbours; None where the student is not in the course."""
    names = read_names(course=course)
    at = next((index for index, (found, _) in enumerate(names) if found == student_id), None)
    if at is None:
        return None
    around = [None, *names, None]
    return Neighbours(previous=around[at], following=around[at + 2], number=at + 1, count=len(names))


def read_standing(*, plan: Plan, student: Student) -> Standing:
    grades = read_grades(plan=plan, student_ids=[student.pk])
    return Standing(plan=plan, student=student, grades=grades[student.pk])


def _category(category: Category, items: list[scoring.Item]) -> scoring.Category:
    return scoring.Category(
        id=category.pk,
        items=tuple(items),
        weight=category.weight,
        drop_lowest=category.drop_lowest,
        drop_highest=category.drop_highest,
    )


def _item(assignment: Assignment, grade: Grade | None) -> scoring.Item:
    return scoring.Item(
        id=assignment.pk,
        points=assignment.points,
        score=grade.score if grade else None,
        late_deduction=grade.late_deduction if grade else scoring.ZERO,
        excused=grade is not None and grade.status == Status.EXCUSED,
        published=assignment.published,
        posted=assignment.posted,
        extra_credit=assignment.extra_credit,
        omit_from_final=assignment.omit_from_final,
        never_drop=assignment.never_drop,
    )


# Student, assignment, score, status, deduction, comment and version, with amounts in hundredths.
CellRow = tuple[int, int, int | None, str, int, str, int]


def read_scores(*, assignment: Assignment) -> list[int]:
    """The scores, in hundredths and less deductions, of the students who are in the course and not excused."""
    places = read_places(course=assignment.category.course)
    return scores_of(read_cells(assignment_ids=[assignment.pk]), {place.student_id for place in places})


def scores_of(cells: Iterable[CellRow], student_ids: Collection[int]) -> list[int]:
    """The scores that statistics are of: in hundredths, less deductions, of these students, without the excused."""
    return [
        max(score - deduction, 0)
        for student_id, _, score, status, deduction, _, _ in cells
        if score is not None and status != Status.EXCUSED and student_id in student_ids
    ]


def read_cells(*, assignment_ids: Collection[int], student_ids: Collection[int] | None = None) -> Sequence[CellRow]:
    """Stored grades as plain rows.

    Whole numbers because SQLite keeps a decimal as a float: rounded there, it is exact, and costs no Decimal a cell.
    By a written statement, because the ORM calls a converter for each amount, a quarter of a whole gradebook's time.
    """
    if not assignment_ids or (student_ids is not None and not student_ids):
        return ()
    conditions, values = [f"assignment_id IN ({', '.join(['%s'] * len(assignment_ids))})"], [*assignment_ids]
    if student_ids is not None:
        conditions.append(f"student_id IN ({', '.join(['%s'] * len(student_ids))})")
        values += student_ids
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT student_id, assignment_id, CAST(ROUND(score * 100) AS BIGINT), status, "  # noqa: S608 -- constants and placeholders
            "CAST(ROUND(late_deduction * 100) AS BIGINT), comment, version FROM grading_grade "
            f"WHERE {' AND '.join(conditions)}",
            values,
        )
        found: list[CellRow] = cursor.fetchall()
    return found
