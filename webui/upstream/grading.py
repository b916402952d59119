"""Courses, students and grades, for the person who asks; grading decides what they may see and write.

Scores and percentages stay the strings that grading writes: no float ever touches them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from urllib.parse import quote

import msgspec
from django.conf import settings

from webui.upstream import exchange
from webui.upstream.exchange import Answer, Refused


class Status(StrEnum):
    NONE = "none"
    MISSING = "missing"
    LATE = "late"
    EXCUSED = "excused"
    INCOMPLETE = "incomplete"


@dataclass(frozen=True, kw_only=True)
class Course:
    code: str
    title: str
    scheme: str = "weighted"
    may_write: bool = False


@dataclass(frozen=True, kw_only=True)
class Category:
    id: int
    title: str
    kind: str = "homework"
    weight: str = "0"
    drop_lowest: int = 0
    drop_highest: int = 0


@dataclass(frozen=True, kw_only=True)
class Section:
    id: int
    title: str


@dataclass(frozen=True, kw_only=True)
class Total:
    """None where nothing counts yet: that is not 0 %."""

    percent: str | None = None
    letter: str | None = None


@dataclass(frozen=True, kw_only=True)
class Student:
    id: int
    name: str
    username: str = ""
    sis_id: str | None = None
    section: int | None = None


@dataclass(frozen=True, kw_only=True)
class Grade:
    """Version 0 is a grade that nobody stored yet."""

    score: str | None = None
    status: Status = Status.NONE
    late_deduction: str = "0"
    comment: str = ""
    version: int = 0
    updated_by: str | None = None
    updated_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Assignment:
    id: int
    title: str
    category: int
    points: str
    kind: str = "homework"
    due_on: date | None = None
    published: bool = True
    posted: bool = True
    extra_credit: bool = False
    omit_from_final: bool = False
    never_drop: bool = False


@dataclass(frozen=True, kw_only=True)
class StudentRow(Student):
    """One student's line of a gradebook; `grades` in the order of its assignments."""

    current: Total = Total()
    final: Total = Total()
    grades: list[Grade] = field(default_factory=list)

    def with_grades(self, grades: list[Grade]) -> "StudentRow":
        return replace(self, grades=grades)


@dataclass(frozen=True, kw_only=True)
class Gradebook:
    course: Course
    categories: list[Category]
    assignments: list[Assignment]
    students: list[StudentRow]
    sections: list[Section] = field(default_factory=list)
