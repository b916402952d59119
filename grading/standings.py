"""Where students stand in a course: their grades and totals, read with the same few queries however many they are."""

from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property

from grading import scoring
from grading.models import Assignment, Category, Course, Grade, Scheme, Student


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is graded in a course."""

    course: Course
    categories: dict[int, Category]
    assignments: dict[int, Assignment]

    @property
    def is_weighted(self) -> bool:
        return self.course.scheme == Scheme.WEIGHTED

    def scored(self, grades: dict[int, Grade]) -> list[scoring.Category]:
        """With one student's grades, by assignment."""
        items: dict[int, list[scoring.Item]] = defaultdict(list)
        for assignment in self.assignments.values():
            items[assignment.category_id].append(_item(assignment, grades.get(assignment.pk)))
        return [_category(category, items[category.pk]) for category in self.categories.values()]


@dataclass(frozen=True, kw_only=True)
class Standing:
    """One student in the plan; `grades` by assignment, holding only those that somebody stored."""

    plan: Plan
    student: Student
    grades: dict[int, Grade]

    @cached_property
    def current(self) -> scoring.Total:
        return scoring.current(self._scored, weighted=self.plan.is_weighted)

    @cached_property
    def final(self) -> scoring.Total:
        return scoring.final(self._scored, weighted=self.plan.is_weighted)

    @cached_property
    def _scored(self) -> list[scoring.Category]:
        return self.plan.scored(self.grades)


def read_plan(*, course: Course, with_unpublished: bool) -> Plan:
    categories = {category.pk: category for category in Category.objects.filter(course=course)}
    assignments = Assignment.objects.filter(category__in=categories)
    if not with_unpublished:
        assignments = assignments.filter(published=True)
    for assignment in assignments:
        # Not by a join: every assignment of a category shares the one object.
        assignment.category = categories[assignment.category_id]
    by_id = {assignment.pk: assignment for assignment in assignments}
    return Plan(course=course, categories=categories, assignments=by_id)


def read_standings(*, plan: Plan, student_id: int | None = None) -> list[Standing]:
    """Of all students in the course by name, or of the one named."""
    students = Student.objects.filter(enrollments__course=plan.course)
    grades = Grade.objects.filter(assignment__in=list(plan.assignments))
    if student_id is not None:
        students, grades = students.filter(pk=student_id), grades.filter(student=student_id)
    by_student: dict[int, dict[int, Grade]] = defaultdict(dict)
    for grade in grades:
        by_student[grade.student_id][grade.assignment_id] = grade
    return [Standing(plan=plan, student=student, grades=by_student[student.pk]) for student in students]


def read_standing(*, plan: Plan, student: Student) -> Standing:
    grades = Grade.objects.filter(assignment__in=list(plan.assignments), student=student)
    return Standing(plan=plan, student=student, grades={grade.assignment_id: grade for grade in grades})


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
        excused=grade.excused if grade else False,
        published=assignment.published,
        extra_credit=assignment.extra_credit,
        omit_from_final=assignment.omit_from_final,
        never_drop=assignment.never_drop,
    )
