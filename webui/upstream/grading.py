"""Courses, students and grades, for the person who asks; grading decides what they may see and write.

Scores and percentages stay the strings that grading writes: no float ever touches them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from urllib.parse import quote

import msgspec
from django.conf import settings

from webui.upstream import exchange
from webui.upstream.exchange import Answer, Refused


@dataclass(frozen=True, kw_only=True)
class Course:
    code: str
    title: str
    may_write: bool = False


@dataclass(frozen=True, kw_only=True)
class Total:
    """None where nothing counts yet: that is not 0 %."""

    percent: str | None = None
    letter: str | None = None


@dataclass(frozen=True, kw_only=True)
class Student:
    id: int
    name: str
    current: Total = Total()


@dataclass(frozen=True, kw_only=True)
class Grade:
    """Version 0 is a grade that nobody stored yet."""

    score: str | None = None
    excused: bool = False
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
    due_on: date | None = None
    published: bool = True
    extra_credit: bool = False
    grade: Grade = Grade()


@dataclass(frozen=True, kw_only=True)
class Line:
    """One assignment's part in a total; `reason` says why it counts, or does not."""

    assignment: int
    title: str
    points: str
    score: str | None
    counts: bool
    reason: str


@dataclass(frozen=True, kw_only=True)
class Part:
    """One category's part in a total."""

    category: int
    title: str
    weight: str
    earned: str
    possible: str
    percent: str | None
    lines: list[Line]


@dataclass(frozen=True, kw_only=True)
class Explanation:
    formula: str | None
    categories: list[Part]


@dataclass(frozen=True, kw_only=True)
class Explanations:
    current: Explanation
    final: Explanation


@dataclass(frozen=True, kw_only=True)
class Record:
    """All that one student got in a course."""

    course: Course
    student: Student
    assignments: list[Assignment]
    current: Total
    final: Total
    explanation: Explanations


@dataclass(frozen=True, kw_only=True)
class Stored:
    """A grade as it was stored, and what the totals are with it."""

    grade: Grade
    current: Total
    final: Total


class Overtaken(Exception):
    """Somebody else stored `theirs` first."""

    def __init__(self, theirs: Grade) -> None:
        super().__init__("Somebody else changed this grade first.")
        self.theirs = theirs


@dataclass(frozen=True, kw_only=True)
class _Courses:
    courses: list[Course]


@dataclass(frozen=True, kw_only=True)
class _Students:
    students: list[Student]


@dataclass(frozen=True, kw_only=True)
class _Precondition:
    theirs: Grade


def courses(person: str) -> list[Course]:
    return _ask(person, "/v1/courses", _Courses).courses


def course(person: str, code: str) -> Course:
    return _ask(person, _path(code), Course)


def students(person: str, code: str) -> list[Student]:
    return _ask(person, _path(code, "students"), _Students).students


def record(person: str, code: str, student_id: int) -> Record:
    return _ask(person, _path(code, "students", student_id), Record)


def store(person: str, code: str, student_id: int, assignment_id: int, grade: Grade) -> Stored:
    """`grade.version` is the one that the person saw. Raises Overtaken when it is no longer the one stored."""
    body = {"score": grade.score, "excused": grade.excused, "comment": grade.comment}
    path = _path(code, "students", student_id, "grades", assignment_id)
    headers = {"If-Match": f'"{grade.version}"'}
    try:
        return _ask(person, path, Stored, method="PUT", headers=headers, body=body)
    except Refused as refusal:
        if refusal.status != 412:
            raise
        raise Overtaken(msgspec.json.decode(refusal.body, type=_Precondition).theirs) from refusal


def _ask(
    person: str,
    path: str,
    answer: type[Answer],
    *,
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    body: Any = None,
) -> Answer:
    question = exchange.Question(
        service="grading",
        method=method,
        path=path,
        token=settings.GRADING_TOKEN,
        headers={"Rollcall-Act-For": quote(person, safe=""), **(headers or {})},
        body=body,
    )
    return exchange.ask(question, answer)


def _path(code: str, *segments: str | int) -> str:
    return "/".join(["/v1/courses", quote(code, safe=""), *map(str, segments)])
