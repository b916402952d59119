"""Whole answers, put together from what the domain says."""

from collections.abc import Iterable
from typing import Any

from grading import representation, scoring
from grading.access import Seat
from grading.models import Assignment, Grade
from grading.standings import Plan, Standing


def course(seat: Seat) -> dict[str, Any]:
    return representation.course(seat.course, may_write=seat.is_teacher)


def course_in_full(seat: Seat) -> dict[str, Any]:
    return {
        **course(seat),
        "teachers": [teacher.username for teacher in seat.course.teachers.all()],
        "categories": [representation.category(category) for category in seat.course.categories.all()],
    }


def student(standing: Standing) -> dict[str, Any]:
    return {**representation.student(standing.student), "current": representation.total(standing.current)}


def student_in_full(seat: Seat, standing: Standing) -> dict[str, Any]:
    return {
        "course": course(seat),
        "student": representation.student(standing.student),
        "assignments": [
            {**representation.assignment(assignment), "grade": grade(assignment, standing.grades.get(assignment.pk))}
            for assignment in standing.plan.assignments.values()
        ],
        **_totals(standing),
        "explanation": {
            "current": _explanation(standing.plan, standing.current),
            "final": _explanation(standing.plan, standing.final),
        },
    }


def gradebook(seat: Seat, plan: Plan, rows: Iterable[Standing]) -> dict[str, Any]:
    return {
        "course": course(seat),
        "categories": [representation.category(category) for category in plan.categories.values()],
        "assignments": [representation.assignment(assignment) for assignment in plan.assignments.values()],
        "students": [_row(standing) for standing in rows],
    }


def grade(assignment: Assignment, grade: Grade | None) -> dict[str, Any]:
    return {"assignment": assignment.pk, **representation.grade(grade)}


def stored_grade(assignment: Assignment, stored: Grade, standing: Standing) -> dict[str, Any]:
    return {
        "grade": grade(assignment, stored),
        "student": representation.student(standing.student),
        **_totals(standing),
    }


def _row(standing: Standing) -> dict[str, Any]:
    """`grades` in the order of the gradebook's assignments."""
    assignments = standing.plan.assignments.values()
    return {
        **representation.student(standing.student),
        **_totals(standing),
        "grades": [grade(assignment, standing.grades.get(assignment.pk)) for assignment in assignments],
    }


def _totals(standing: Standing) -> dict[str, Any]:
    return {"current": representation.total(standing.current), "final": representation.total(standing.final)}


def _explanation(plan: Plan, total: scoring.Total) -> dict[str, Any]:
    return representation.explanation(
        total, weighted=plan.is_weighted, categories=plan.categories, assignments=plan.assignments
    )
