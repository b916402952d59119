"""Grades against their history: each is what its last change left, and its changes follow one another."""

from dataclasses import dataclass
from itertools import groupby
from typing import Any

from grading import representation
from grading.models import Course, Grade, GradeChange

_MEMBERS = ("score", "status", "late_deduction", "comment")


@dataclass(frozen=True, kw_only=True)
class Proof:
    """`differing` are the ids of grades whose history does not end with them, or has a gap."""

    count: int
    differing: list[str]


def compare_with_history(*, course: Course) -> Proof:
    """A grade committed in between is not seen half: both tables are read in one transaction of the caller's."""
    changes = GradeChange.objects.filter(grade__assignment__category__course=course).order_by("grade", "version")
    histories = {
        grade_id: list(found) for grade_id, found in groupby(changes.iterator(), key=lambda change: change.grade_id)
    }
    grades = list(Grade.objects.filter(assignment__category__course=course))
    differing = [
        representation.grade_id(grade.student_id, grade.assignment_id)
        for grade in grades
        if not _follows(grade, histories.get(grade.pk, []))
    ]
    return Proof(count=len(grades), differing=differing)


def _follows(grade: Grade, history: list[GradeChange]) -> bool:
    contents: list[tuple[Any, ...]] = [(None, "none", 0, "")]
    for version, change in enumerate(history, start=1):
        before, after = (tuple(getattr(change, f"{name}_{when}") for name in _MEMBERS) for when in ("before", "after"))
        if (change.version, before) != (version, contents[-1]):
            return False
        contents.append(after)
    present = tuple(getattr(grade, name) for name in _MEMBERS)
    return (grade.version, present) == (len(history), contents[-1])
