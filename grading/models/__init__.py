"""Grading's tables: courses and who is in them, what is graded, the grades and every change of them."""

from grading.models.courses import Assignment, Category, Course, GradeScale, GradeStep, Kind, Scheme, Section, Term
from grading.models.grades import (
    MOST_COMMENT_CHARACTERS,
    Grade,
    GradeChange,
    ImportBatch,
    Source,
    Status,
    StoredAnswer,
)
from grading.models.people import Enrollment, Role, State, Student

__all__ = [
    "MOST_COMMENT_CHARACTERS",
    "Assignment",
    "Category",
    "Course",
    "Enrollment",
    "Grade",
    "GradeChange",
    "GradeScale",
    "GradeStep",
    "ImportBatch",
    "Kind",
    "Role",
    "Scheme",
    "Section",
    "Source",
    "State",
    "Status",
    "StoredAnswer",
    "Student",
    "Term",
]
